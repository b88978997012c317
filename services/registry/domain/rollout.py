"""A rollout as a state machine: what a verdict, a disabled arm or a person makes of it.

Every function is pure and gives the rollout after it, or None where nothing of it changes: so whatever arrives, in
whatever order and however often, a step is never passed twice or skipped, and what has ended stays as it ended.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from datetime import datetime


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


_ENDS = {Decision.ROLL_BACK: RolloutState.ROLLED_BACK, Decision.INCONCLUSIVE: RolloutState.INCONCLUSIVE}


@dataclass(frozen=True, slots=True)
class RolloutStep:
    """One step: the candidate's share of the answers in percent, and the labels before and by which it is decided."""

    percent: int
    min_labels: int
    max_labels: int


@dataclass(frozen=True, slots=True)
class RolloutPlan:
    """The steps in order, the harm that is still borne, and the chance of a wrong promotion."""

    steps: tuple[RolloutStep, ...]
    margin: float = 0.0
    error_rate: float = 0.05


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


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the monitor says of one step."""

    endpoint: str
    rollout_id: str
    step: int
    decision: Decision
    reason: str


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
