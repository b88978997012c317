"""Moments that a window around them can be told of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from slipway.errors import invalid_field

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# A year short of what a Timestamp can say at either end, so that the window around any moment can be said too.
_EARLIEST_US = (datetime(2, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
_LATEST_US = (datetime(9999, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)


def check_moments(field: str, moments_us: Sequence[int]) -> None:
    """Raise InvalidInput about ``field`` unless all are in the years 2 to 9998."""
    if moments_us and not (min(moments_us) >= _EARLIEST_US and max(moments_us) < _LATEST_US):
        raise invalid_field(field, "leaves the years 2 to 9998; give microseconds since 1970")
