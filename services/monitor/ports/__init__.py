"""What the monitor's engine needs from outside; the parts of a writing transaction have a file each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from services.monitor.domain.baseline import Baseline
from services.monitor.domain.batch import Tally
from services.monitor.domain.comparison import Scored
from services.monitor.domain.coverage import Coverage
from services.monitor.domain.dead_letter import DeadLetter
from services.monitor.domain.endpoint import Endpoint
from services.monitor.domain.feature import FeatureCounts, VersionWindow
from services.monitor.domain.figures import PerformanceWindow
from services.monitor.domain.incident import Incident
from services.monitor.domain.label import LabelTally
from services.monitor.domain.progress import Progress
from services.monitor.domain.verdict import Verdict
from services.monitor.domain.window import PredictionWindow, Span, VersionCount
from services.monitor.ports.joins import Joins
from services.monitor.ports.judgements import Judgements, Trials
from services.monitor.ports.waiting import Waiting
from slipway.paging import Page


class Reader(Protocol):
    """One consistent view of the windows."""

    async def windows(self, span: Span, page: Page) -> Sequence[PredictionWindow]:
        """Up to ``page.fetch`` windows by start, endpoint, model, version, route and end."""
        ...

    async def counts(self, span: Span) -> Sequence[VersionCount]:
        """Predictions of the span's windows by model and version, in that order."""
        ...

    async def performance(self, span: Span, page: Page) -> Sequence[PerformanceWindow]:
        """Up to ``page.fetch`` performance windows by start, endpoint, model, version, route and end."""
        ...

    async def coverage(self, span: Span) -> Sequence[Coverage]:
        """Endpoints that predictions of the span or labels came for, by name."""
        ...

    async def baseline(self, model: str, version: int) -> Baseline | None:
        """What a version was trained on; None when the registry did not announce it yet."""
        ...

    async def endpoint(self, name: str) -> Endpoint | None:
        """The endpoint as the registry wants it; None when it announced none."""
        ...

    async def progress(self, endpoint: str) -> Progress:
        """How far an endpoint has come."""
        ...

    async def features(
        self, span: Span, after: VersionWindow | None, limit: int
    ) -> Sequence[tuple[VersionWindow, FeatureCounts]]:
        """Up to ``limit`` windows from ``after`` on (it included) by start, endpoint, model, version and end."""
        ...

    async def incidents(self, endpoint: str, page: Page, *, open_only: bool) -> Sequence[tuple[int, Incident]]:
        """Up to ``page.fetch`` incidents with their positions, the newest first; of all endpoints when empty."""
        ...

    async def verdicts(self, endpoint: str, page: Page) -> Sequence[tuple[int, Verdict]]:
        """Up to ``page.fetch`` verdicts with their positions, the newest first; of all endpoints when empty."""
        ...

    async def scored_by_both(self, span: Span, model: str, version: int, other: int) -> Sequence[Scored]:
        """Labelled predictions of the span's event times that both versions gave a score, each id once."""
        ...


class Registered(Protocol):
    """What the registry announced."""

    async def keep_baseline(self, baseline: Baseline) -> None:
        """Keep a version's baseline."""
        ...

    async def keep_endpoint(self, endpoint: Endpoint) -> None:
        """Keep an endpoint in the place of what it was."""
        ...

    async def drop_endpoint(self, name: str) -> None:
        """Forget an endpoint."""
        ...


class Writer(Reader, Protocol):
    """The one writing transaction: all of it commits or none."""

    @property
    def joins(self) -> Joins:
        """Predictions and labels, in this transaction."""
        ...

    @property
    def registered(self) -> Registered:
        """What the registry announced, in this transaction."""
        ...

    @property
    def judgements(self) -> Judgements:
        """Streaks and incidents, in this transaction."""
        ...

    @property
    def trials(self) -> Trials:
        """Steps of rollouts, in this transaction."""
        ...

    @property
    def waiting(self) -> Waiting:
        """Features without a baseline, in this transaction."""
        ...

    async def claim(self, event_ids: Sequence[str], now: datetime) -> set[str]:
        """The ids that were not claimed before; from the commit on they are."""
        ...

    async def add(self, tally: Tally, window_us: int) -> None:
        """Add rows to their windows, ``window_us`` microseconds wide."""
        ...

    async def add_features(self, counts: Mapping[VersionWindow, FeatureCounts]) -> None:
        """Add to feature windows."""
        ...

    async def keep_progress(self, endpoint: str, progress: Progress) -> None:
        """Keep how far an endpoint has come."""
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

    def labelled(self, tally: LabelTally) -> None:
        """So many labels came to each outcome."""
        ...

    def dead_lettered(self) -> None:
        """An event was set aside."""
        ...

    def lag(self, events: int) -> None:
        """So many events of the log are still to be counted."""
        ...
