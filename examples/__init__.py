"""Worked examples, imported from the root of a checkout; no part of the platform imports them."""
