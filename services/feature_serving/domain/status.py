"""What an answered value is."""

from __future__ import annotations

import enum


class Status(enum.IntEnum):
    """The numbers are the contract's."""

    PRESENT = 1
    NULL_VALUE = 2
    NOT_FOUND = 3
    OUTSIDE_MAX_AGE = 4
    UNREADABLE = 5
    FALLBACK = 6
