"""When a version has killed so many of its workers that it gets no more."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """So many deaths within so many seconds are too many."""

    deaths: int
    window_s: float

    def __str__(self) -> str:
        """What is said when they were."""
        return f"{self.deaths} of its workers died within {self.window_s:g} s"


class Deaths:
    """The last deaths of a version's workers."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._times: deque[float] = deque(maxlen=patience.deaths)

    def add(self, now: float) -> bool:
        """Count one at a monotonic time; True when that is one too many."""
        self._times.append(now)
        return len(self._times) == self._patience.deaths and now - self._times[0] <= self._patience.window_s

    def forget(self) -> None:
        """Give the version a new chance."""
        self._times.clear()
