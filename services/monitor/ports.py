"""What the monitor's engine needs from outside."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from services.monitor.domain.batch import Tally
from services.monitor.domain.dead_letter import DeadLetter
from services.monitor.domain.window import PredictionWindow, Span, VersionCount
from slipway.paging import Page


class Reader(Protocol):
    """One consistent view of the windows."""

    async def windows(self, span: Span, page: Page) -> Sequence[PredictionWindow]:
        """Up to ``page.fetch`` windows by start, endpoint, model, version, route and end."""
        ...

    async def counts(self, span: Span) -> Sequence[VersionCount]:
        """Predictions of the span's windows by model and version, in that order."""
        ...


class Writer(Reader, Protocol):
    """The one writing transaction: all of it commits or none."""

    async def claim(self, event_ids: Sequence[str], now: datetime) -> set[str]:
        """The ids that were not claimed before; from the commit on they are."""
        ...

    async def add(self, tally: Tally, window_us: int) -> None:
        """Add rows to their windows, ``window_us`` microseconds wide."""
        ...

    async def forget(self, before: datetime) -> int:
        """Drop the ids claimed before then; how many."""
        ...


class Windows(Protocol):
    """Every window that was counted, and the events that were counted in them."""

    def read(self) -> AbstractAsyncContextManager[Reader]:
        """A snapshot."""
        ...

    def write(self) -> AbstractAsyncContextManager[Writer]:
        """A transaction; committed on leaving, rolled back by an exception."""
        ...


class DeadLetters(Protocol):
    """The events that were set aside."""

    async def read(self, position: int, limit: int) -> Sequence[DeadLetter]:
        """Up to ``limit`` letters from ``position`` on, in order, each with its value; empty after the last.

        Raises Unavailable.
        """
        ...


class Meters(Protocol):
    """The monitor's own metrics."""

    def counted(self, predictions: int) -> None:
        """So many predictions were counted."""
        ...

    def dead_lettered(self) -> None:
        """An event was set aside."""
        ...

    def lag(self, events: int) -> None:
        """So many events of the log are still to be counted."""
        ...
