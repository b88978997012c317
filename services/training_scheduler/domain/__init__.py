"""Runs, steps and attempts: values and what may become of them."""
