"""How an arm did on its last batches."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

# A 99th percentile is above a limit when more than one in a hundred is.
_ONE_IN = 100


class _Seen(NamedTuple):
    why: str
    seconds: float | None
    slow: bool
    rows: int


class Window:
    """An arm's last ``size`` batches, with their sums: a batch more costs the same whatever the window's size."""

    def __init__(self, size: int, limit_s: float | None = None) -> None:
        """``limit_s`` is what a batch may take before it is slow; None: any time."""
        self._seen: deque[_Seen] = deque()
        self._size = size
        self._limit_s = limit_s
        self._failed = 0
        self._timed = 0
        self._timed_rows = 0
        self._slow_rows = 0

    def __len__(self) -> int:
        return len(self._seen)

    def add(self, why: str, seconds: float | None = None, rows: int = 1) -> bool:
        """Count a batch that failed unless ``why`` is empty and took ``seconds``, if that counts; True: it was slow."""
        slow = seconds is not None and self._limit_s is not None and seconds > self._limit_s
        self._seen.append(_Seen(why, seconds, slow, rows))
        self._count(self._seen[-1], 1)
        if len(self._seen) > self._size:
            self._count(self._seen.popleft(), -1)
        return slow

    def _count(self, seen: _Seen, times: int) -> None:
        self._failed += times * bool(seen.why)
        if seen.seconds is not None:
            self._timed += times
            self._timed_rows += times * seen.rows
            self._slow_rows += times * seen.slow * seen.rows

    @property
    def timed(self) -> int:
        """The batches whose time counts."""
        return self._timed

    @property
    def slow(self) -> bool:
        """Whether the 99th percentile of the rows' times is above the limit."""
        return self._slow_rows * _ONE_IN > self._timed_rows

    def fails(self, share: float) -> bool:
        """Whether more than ``share`` of the batches failed."""
        return self._failed > share * len(self._seen)

    def failures(self) -> tuple[int, str]:
        """How many failed, and why the last of them did."""
        return self._failed, next((seen.why for seen in reversed(self._seen) if seen.why), "")

    def p99_s(self) -> float:
        """The 99th percentile of the rows' times, in seconds; 0 when no time counts."""
        times = sorted(((one.seconds, one.rows) for one in self._seen if one.seconds is not None), reverse=True)
        above = 0
        for seconds, rows in times:
            above += rows
            if above * _ONE_IN > self._timed_rows:
                return seconds
        return 0.0
