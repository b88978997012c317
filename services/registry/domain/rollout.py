"""A rollout as a state machine: what a verdict, a disabled arm or a person makes of it.

Every function is pure and gives the rollout after it, or None where nothing of it changes: so whatever arrives, in
whatever order and however often, a step is never passed twice or skipped, and what has ended stays as it ended.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from datetime import datetime, timedelta


class RolloutState(enum.StrEnum):
    """Where a rollout stands; all but RUNNING are final."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    ROLLED_BACK = "ROLLED_BACK"
    INCONCLUSIVE = "INCONCLUSIVE"


class Decision(enum.StrEnum):
    """What a verdict says."""

    PROMOTE = "PROMOTE"
    ROLL_BACK = "ROLL_BACK"
    INCONCLUSIVE = "INCONCLUSIVE"


class RolloutKind(enum.StrEnum):
    """How a rollout goes about it."""

    CANARY = "CANARY"
    BLUE_GREEN = "BLUE_GREEN"
    AB = "AB"


_ENDS = {Decision.ROLL_BACK: RolloutState.ROLLED_BACK, Decision.INCONCLUSIVE: RolloutState.INCONCLUSIVE}


@dataclass(frozen=True, slots=True)
class RolloutStep:
    """One step: the candidate's share of the answers in percent, and the labels before and by which it is decided."""

    percent: int
    min_labels: int
    max_labels: int


@dataclass(frozen=True, slots=True)
class RolloutPlan:
    """The steps in order, the harm that is still borne, and the chance of a wrong promotion.

    ``keep_s`` seconds the version before stays after success, 0 until the next rollout; ``experiment`` names an A/B's.
    """

    steps: tuple[RolloutStep, ...]
    margin: float = 0.0
    error_rate: float = 0.05
    kind: RolloutKind = RolloutKind.CANARY
    keep_s: int = 0
    experiment: str = ""


@dataclass(frozen=True, slots=True)
class Rollout:
    """How a version takes an endpoint over.

    ``number`` counts the endpoint's rollouts from 1; ``main_weight`` is what its main arm gets back at the end;
    ``start_revision`` the revision of the desired state that it started with.
    """

    id: str
    endpoint: str
    number: int
    model: str
    candidate_version: int
    baseline_version: int
    alias: str
    main_route: str
    main_weight: int
    plan: RolloutPlan
    state: RolloutState
    step: int
    reason: str
    create_time: datetime
    update_time: datetime
    start_revision: int
    start_event_time: datetime | None = None

    @property
    def running(self) -> bool:
        """Whether a step of it waits for its verdict."""
        return self.state is RolloutState.RUNNING

    @property
    def kept_until(self) -> datetime | None:
        """When the version before is let go; None while there is no such time."""
        if self.state is not RolloutState.SUCCEEDED or not self.plan.keep_s:
            return None
        return self.update_time + timedelta(seconds=self.plan.keep_s)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the monitor says of one step."""

    endpoint: str
    rollout_id: str
    step: int
    decision: Decision
    reason: str
    labels: int


@dataclass(frozen=True, slots=True)
class ArmDisabled:
    """A gateway took an arm to zero, by the desired state of ``revision``."""

    endpoint: str
    route: str
    model: str
    version: int
    revision: int
    reason: str


def judge(rollout: Rollout, verdict: Verdict, now: datetime) -> Rollout | None:
    """The rollout after ``verdict``; None when that is not about the step that runs."""
    if not rollout.running or (verdict.rollout_id, verdict.step) != (rollout.id, rollout.step):
        return None
    if verdict.decision in _ENDS:
        return end(rollout, _ENDS[verdict.decision], verdict.reason, now)
    asked = rollout.plan.steps[rollout.step].min_labels
    if verdict.labels < asked:
        # No data is never a pass, whoever says so; and a step has one verdict, so none better will come.
        told = f"it promotes on {verdict.labels} labels where the step asks for {asked}: {verdict.reason}"
        return end(rollout, RolloutState.INCONCLUSIVE, told, now)
    step = rollout.step + 1
    state = RolloutState.RUNNING if step < len(rollout.plan.steps) else RolloutState.SUCCEEDED
    return replace(rollout, step=step, state=state, reason=verdict.reason, update_time=now)


def disable(rollout: Rollout, disabled: ArmDisabled, now: datetime) -> Rollout | None:
    """The rollout after a gateway gave its candidate up; None when that was another version, or before it started."""
    if (disabled.model, disabled.version) != (rollout.model, rollout.candidate_version):
        return None
    if disabled.revision < rollout.start_revision:
        return None
    return end(rollout, RolloutState.ROLLED_BACK, disabled.reason, now)


def end(rollout: Rollout, state: RolloutState, reason: str, now: datetime) -> Rollout | None:
    """The rollout ended in ``state``; None when it had ended before."""
    if not rollout.running:
        return None
    return replace(rollout, state=state, reason=reason, update_time=now)
