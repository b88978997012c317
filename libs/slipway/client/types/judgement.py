"""What the monitor makes of what serving saw: drift, incidents, verdicts."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class FeatureWindow:
    """What one version saw of one feature from ``start_time`` to before ``end_time``, beside its baseline.

    ``distance`` from the baseline (Jensen-Shannon, base 2) is None without rows, ``threshold`` when the baseline has no
    spread; above it the feature ``drifted``. ``counts`` are rows by bin of the baseline; empty unless asked for.
    """

    endpoint: str
    model: str
    version: int
    feature: str
    start_time: datetime
    end_time: datetime
    rows: int
    nulls: int
    distance: float | None = None
    threshold: float | None = None
    importance: float = 0.0
    drifted: bool = False
    counts: tuple[int, ...] = ()


class IncidentState(enum.StrEnum):
    """Where an incident stands."""

    UNSPECIFIED = "unspecified"
    OPEN = "open"
    CLOSED = "closed"


class IncidentKind(enum.StrEnum):
    """What an incident is made of: a version that does worse, or features that lost their values."""

    UNSPECIFIED = "unspecified"
    PERFORMANCE = "performance"
    DATA = "data"


@dataclass(frozen=True, slots=True)
class Harm:
    """A figure that is worse than it was: ``metric`` is ``log_loss``, ``auc`` or ``null_rate``."""

    metric: str
    baseline: float
    observed: float
    threshold: float
    rows: int


@dataclass(frozen=True, slots=True)
class IncidentFeature:
    """A feature that drifted with an incident, as its latest window has it."""

    name: str
    distance: float
    threshold: float
    importance: float
    null_rate: float = 0.0


@dataclass(frozen=True, slots=True)
class Incident:
    """Harm that two windows in a row showed, and the features that drifted with it, the gravest first.

    ``start_time`` and ``trigger_time`` are event time: the start of the first window that showed it, and when it was
    known, labels included; what answers it may use nothing newer. The other times are by the monitor's clock.
    """

    id: str
    endpoint: str
    model: str
    version: int
    kind: IncidentKind
    state: IncidentState
    start_time: datetime
    trigger_time: datetime
    harm: Harm
    features: tuple[IncidentFeature, ...] = ()
    create_time: datetime | None = None
    close_time: datetime | None = None
    close_reason: str = ""


class Decision(enum.StrEnum):
    """What a verdict says."""

    UNSPECIFIED = "unspecified"
    PROMOTE = "promote"
    ROLL_BACK = "roll_back"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the monitor says of one step of a rollout.

    ``harm`` is the candidate's mean loss less that of the version before, on ``labels`` predictions that both scored;
    below 0 is better. ``harm_lower`` and ``harm_upper`` are the ends of its confidence sequence.
    """

    endpoint: str
    rollout_id: str
    step: int
    decision: Decision
    reason: str
    labels: int
    harm: float
    harm_lower: float
    harm_upper: float
    candidate_auc: float | None = None
    baseline_auc: float | None = None
    event_time: datetime | None = None
    create_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class VersionComparison:
    """Two versions on the ``labels`` predictions that both scored; a figure is None when there is nothing to take."""

    labels: int
    auc: float | None = None
    other_auc: float | None = None
    log_loss: float | None = None
    other_log_loss: float | None = None


@dataclass(frozen=True, slots=True)
class MonitorProgress:
    """How far the monitor has come with an endpoint, in event time; None before the first.

    The latest prediction that it counted, the latest label that it took, the end of the last window that it judged.
    """

    predictions_time: datetime | None = None
    labels_time: datetime | None = None
    judged_time: datetime | None = None
