"""Incidents: opened by two windows in a row that show harm, closed by two that don't."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from services.monitor.domain.feature import VersionWindow
from services.monitor.domain.harm import Cause, Finding, Harm, IncidentKind, gravity

_IN_A_ROW = 2
ANSWERS_NO_MORE = "its version answers no more"
DID_WELL = "its version did well in two windows in a row"
DATA_IS_BACK = "its features had their values in two windows in a row"


@dataclass(frozen=True, slots=True)
class Incident:
    """Harm, and what drifted with it. ``start_us`` and ``trigger_us`` are event time, the others by the clock."""

    id: str
    endpoint: str
    model: str
    version: int
    kind: IncidentKind
    start_us: int
    trigger_us: int
    harm: Harm
    causes: tuple[Cause, ...]
    create_time: datetime
    close_time: datetime | None = None
    close_reason: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it goes on."""
        return self.close_time is None

    def closed(self, reason: str, now: datetime) -> Incident:
        """Itself, ended."""
        return replace(self, close_time=now, close_reason=reason)


@dataclass(frozen=True, slots=True)
class Streak:
    """What the latest windows of a version said, of one kind: so many in a row were bad, or good.

    ``start_us`` is the start of the first of the bad ones, ``causes`` are those of the last.
    """

    kind: IncidentKind
    bad: int = 0
    good: int = 0
    start_us: int = 0
    causes: tuple[Cause, ...] = ()

    def after(self, window: VersionWindow, finding: Finding) -> Streak:
        """The streak with one more window."""
        if finding.harm is None:
            return Streak(self.kind, good=self.good + 1)
        start_us = self.start_us if self.bad else window.start_us
        return Streak(self.kind, self.bad + 1, 0, start_us, finding.causes)


def opened(
    before: Streak,
    window: VersionWindow,
    finding: Finding,
    *,
    newest_label_us: int | None,
    now: datetime,
    new_id: str,
) -> Incident | None:
    """The incident that ``window`` opens after ``before``, if it does; it is known when its newest label is."""
    after = before.after(window, finding)
    if finding.harm is None or after.bad < _IN_A_ROW:
        return None
    causes = _lasting(before.causes, finding.causes)
    if finding.kind is IncidentKind.DATA and not causes:
        return None  # one feature lost its values, then another: neither for long
    trigger_us = max(window.end_us, newest_label_us if newest_label_us is not None else window.end_us)
    return Incident(
        id=new_id,
        endpoint=window.endpoint,
        model=window.model,
        version=window.version,
        kind=finding.kind,
        start_us=after.start_us,
        trigger_us=trigger_us,
        harm=finding.harm,
        causes=causes or finding.causes,
        create_time=now,
    )


def recovered(streak: Streak) -> str:
    """Why an open incident ends after ``streak``; empty when it goes on."""
    if streak.good < _IN_A_ROW:
        return ""
    return DID_WELL if streak.kind is IncidentKind.PERFORMANCE else DATA_IS_BACK


def _lasting(before: tuple[Cause, ...], latest: tuple[Cause, ...]) -> tuple[Cause, ...]:
    """The causes of both windows, as the latest has them, the gravest first."""
    names = {cause.name for cause in before}
    return tuple(sorted((one for one in latest if one.name in names), key=lambda one: (-gravity(one), one.name)))
