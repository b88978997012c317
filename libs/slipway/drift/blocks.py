"""Rows by block of event time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from slipway.errors import invalid_field

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def block_numbers(
    event_times: Sequence[datetime] | npt.NDArray[Any], block: timedelta, rows: int
) -> tuple[npt.NDArray[np.intp], int]:
    """The block of each row, counted from 0 without gaps, and how many blocks there are.

    Times are datetimes with a zone, ``datetime64`` of UTC, or whole microseconds since 1970; blocks start at 1970, as a
    monitor's windows do. Raises InvalidInput about ``event_times`` or ``block``.
    """
    if block <= timedelta(0):
        raise invalid_field("block", f"is {block}; give a stretch of time above 0")
    if len(event_times) != rows:
        raise invalid_field("event_times", f"has {len(event_times)} entries for {rows} rows; give one each")
    width = block // _MICROSECOND
    found, numbers = np.unique(_microseconds(event_times) // width, return_inverse=True)
    return numbers.reshape(-1), len(found)


class Blocks:
    """Blocks of rows, to split columns by. Raises as block_numbers."""

    def __init__(self, event_times: Sequence[datetime] | npt.NDArray[Any], block: timedelta, rows: int) -> None:
        numbers, self._count = block_numbers(event_times, block, rows)
        self._order = np.argsort(numbers, kind="stable")
        self._cuts = np.searchsorted(numbers[self._order], np.arange(1, self._count))

    def split(self, values: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
        """A column's values by block, the earliest first."""
        return np.split(values[self._order], self._cuts) if self._count else []


def _microseconds(times: Sequence[datetime] | npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    if not isinstance(times, np.ndarray):
        if any(isinstance(one, datetime) and one.tzinfo is None for one in times):
            raise invalid_field("event_times", "has a datetime without a time zone; give one, such as UTC")
        times = np.array([(one - _EPOCH) // _MICROSECOND if isinstance(one, datetime) else one for one in times])
    if np.issubdtype(times.dtype, np.datetime64):
        if np.isnat(times).any():
            raise invalid_field("event_times", "has an entry without a time; drop such rows")
        return times.astype("datetime64[us]").astype(np.int64)
    if not np.issubdtype(times.dtype, np.integer) and times.size:
        raise invalid_field("event_times", "are no times; give datetimes, datetime64 or whole microseconds since 1970")
    return times.astype(np.int64)
