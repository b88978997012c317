"""What is judged, windows and steps of rollouts, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from services.monitor.domain.feature import VersionWindow
from services.monitor.domain.harm import IncidentKind
from services.monitor.domain.incident import Incident, Streak
from services.monitor.domain.performance import Sums
from services.monitor.domain.trial import PairSums, Trial
from services.monitor.domain.verdict import Verdict


class Judgements(Protocol):
    """What is judged, and what came of it."""

    async def performance_of(self, window: VersionWindow) -> Sums:
        """What all arms of a version add up to in a window."""
        ...

    async def streak(self, window: VersionWindow, kind: IncidentKind) -> Streak:
        """What the windows before said of the version."""
        ...

    async def keep_streak(self, window: VersionWindow, streak: Streak) -> None:
        """Keep what the windows say now."""
        ...

    async def open_incidents(self, endpoint: str) -> Sequence[Incident]:
        """Those that go on, the oldest first."""
        ...

    async def put_incident(self, incident: Incident) -> None:
        """Keep an incident, new or changed, and announce it."""
        ...


class Trials(Protocol):
    """Steps of rollouts that wait for their verdicts."""

    async def running(self, endpoint: str) -> Sequence[tuple[Trial, PairSums]]:
        """The trials of an endpoint that go on."""
        ...

    async def start(self, trial: Trial) -> None:
        """Keep a trial; one that is known already stays as it is."""
        ...

    async def stop_all_but(self, endpoint: str, trial: Trial | None) -> None:
        """End the trials of an endpoint, but not this one."""
        ...

    async def put_sums(self, trial: Trial, sums: PairSums) -> None:
        """Keep what a trial's pairs add up to now."""
        ...

    async def conclude(self, trial: Trial, verdict: Verdict) -> None:
        """Keep the verdict on a trial, announce it, and end the trial."""
        ...
