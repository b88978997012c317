"""Workflows that loads have run, found by the scheduler on its import path."""
