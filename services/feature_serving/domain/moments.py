"""Moments, in microseconds since 1970 UTC."""

EARLIEST_US = -62_135_596_800_000_000
"""The first microsecond of the year 1, where Timestamps begin."""
LATEST_US = 253_402_300_799_999_999
"""The last microsecond of the year 9999, where Timestamps end."""
