"""Checks against the foreign programs that share our data."""
