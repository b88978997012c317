"""How a version takes an endpoint over."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime


class RolloutState(enum.StrEnum):
    """Where a rollout stands; all but RUNNING are final."""

    UNSPECIFIED = "unspecified"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    ROLLED_BACK = "rolled_back"
    INCONCLUSIVE = "inconclusive"


class RolloutKind(enum.StrEnum):
    """How a rollout goes about it: by rising shares, all at once after a step in the shadow, or by a fixed split."""

    UNSPECIFIED = "unspecified"
    CANARY = "canary"
    BLUE_GREEN = "blue_green"
    AB = "ab"


@dataclass(frozen=True, slots=True)
class RolloutStep:
    """One step: the candidate's share of the answers in percent, 0 for a step in the shadow.

    No verdict promotes before ``min_labels`` (0: 100), and one stands by ``max_labels`` (0: 100 times min_labels).
    """

    percent: int
    min_labels: int = 0
    max_labels: int = 0


@dataclass(frozen=True, slots=True)
class RolloutPlan:
    """The steps in order, the harm in mean loss that is still borne, and the chance of a wrong promotion (0: 0.05).

    Of BLUE_GREEN and AB the steps may be left out. ``keep_s`` seconds the version before stays after BLUE_GREEN has
    switched (0: an hour); ``experiment`` names AB's in the log.
    """

    steps: tuple[RolloutStep, ...] = ()
    margin: float = 0.0
    error_rate: float = 0.0
    kind: RolloutKind = RolloutKind.CANARY
    keep_s: int = 0
    experiment: str = ""


@dataclass(frozen=True, slots=True)
class Rollout:
    """A rollout as it stands; ``step`` counts from 0 and is the number of steps once all passed."""

    id: str
    model: str
    candidate_version: int
    baseline_version: int
    alias: str
    main_route: str
    plan: RolloutPlan
    state: RolloutState
    step: int = 0
    reason: str = ""
    create_time: datetime | None = None
    update_time: datetime | None = None
    start_event_time: datetime | None = None
