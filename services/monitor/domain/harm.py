"""What a judged window says: whether the version did harm, and whether its data went bad."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from services.monitor.domain.baseline import PerformanceBaseline
from services.monitor.domain.feature import FeatureWindow
from services.monitor.domain.figures import PerformanceWindow


class IncidentKind(enum.StrEnum):
    """What an incident is made of."""

    PERFORMANCE = "performance"
    DATA = "data"


@dataclass(frozen=True, slots=True)
class Limits:
    """What counts: the least effects worth telling, beside what weeks differ by anyway.

    ``min_rows`` are labelled predictions of a window below which it says nothing (rows, for data). Features of less
    than ``min_importance`` are no cause; those of ``data_importance`` are bad data by themselves when their share of
    missing values rises by ``data_null_rate``.
    """

    log_loss_floor: float = 0.02
    auc_floor: float = 0.02
    min_rows: int = 200
    drift_floor: float = 0.1
    min_importance: float = 0.01
    data_importance: float = 0.05
    data_null_rate: float = 0.2


@dataclass(frozen=True, slots=True)
class Harm:
    """A figure that is worse than it was, and where harm begins."""

    metric: str
    baseline: float
    observed: float
    threshold: float
    rows: int

    @property
    def gravity(self) -> float:
        """How many times its allowance it is away from the baseline; harm begins at 1."""
        return (self.observed - self.baseline) / (self.threshold - self.baseline)


@dataclass(frozen=True, slots=True)
class Cause:
    """A feature behind an incident, as the latest window has it."""

    name: str
    distance: float
    threshold: float
    importance: float
    null_rate: float


@dataclass(frozen=True, slots=True)
class Finding:
    """What a window says of one kind of incident: its harm, None when all is well, and causes, the gravest first."""

    kind: IncidentKind
    harm: Harm | None
    causes: tuple[Cause, ...] = ()


def performance_finding(
    window: PerformanceWindow, baseline: PerformanceBaseline, features: Sequence[FeatureWindow], limits: Limits
) -> Finding | None:
    """What labels say; None while too few of them came, or nobody measured the baseline."""
    rows = window.classified
    if rows < limits.min_rows:
        return None
    figures = [
        _figure("log_loss", baseline.log_loss, baseline.log_loss_spread, window.log_loss, limits.log_loss_floor),
        _figure("auc", baseline.auc, baseline.auc_spread, window.auc, -limits.auc_floor),
    ]
    known = [(metric, base, observed, threshold) for metric, base, observed, threshold in filter(None, figures)]
    if not known:
        return None
    harms = [Harm(metric, base, observed, threshold, rows) for metric, base, observed, threshold in known]
    worst = max(harms, key=lambda harm: harm.gravity)
    return Finding(IncidentKind.PERFORMANCE, worst if worst.gravity > 1 else None, causes(features, limits))


def _figure(
    metric: str, base: float | None, spread: float | None, observed: float | None, floor: float
) -> tuple[str, float, float, float] | None:
    """A metric with its baseline, what was observed and where harm begins, which is below when ``floor`` is."""
    if base is None or observed is None:
        return None
    allowance = max(spread or 0.0, abs(floor))
    return metric, base, observed, base + (allowance if floor > 0 else -allowance)


def data_finding(features: Sequence[FeatureWindow], null_rates: Sequence[float], limits: Limits) -> Finding | None:
    """Whether important features lost their values; ``null_rates`` are the baseline's. None with too few rows."""
    rows = max((feature.rows for feature in features), default=0)
    if rows < limits.min_rows:
        return None
    lost = [
        (feature, before)
        for feature, before in zip(features, null_rates, strict=True)
        if feature.importance >= limits.data_importance and feature.null_rate > before + limits.data_null_rate
    ]
    if not lost:
        return Finding(IncidentKind.DATA, None)
    worst, before = max(lost, key=lambda one: (one[0].null_rate - one[1]) * one[0].importance)
    harm = Harm("null_rate", before, worst.null_rate, before + limits.data_null_rate, rows)
    return Finding(IncidentKind.DATA, harm, _ranked([feature for feature, _ in lost]))


def causes(features: Sequence[FeatureWindow], limits: Limits) -> tuple[Cause, ...]:
    """The features that drifted and matter, the gravest first."""
    return _ranked([one for one in features if one.drifted and one.importance >= limits.min_importance])


def _ranked(features: Sequence[FeatureWindow]) -> tuple[Cause, ...]:
    found = [
        Cause(one.feature, one.distance or 0.0, one.threshold or 0.0, one.importance, one.null_rate) for one in features
    ]
    return tuple(sorted(found, key=lambda one: (-gravity(one), one.name)))


def gravity(cause: Cause) -> float:
    """Distance over threshold, times importance."""
    return cause.distance / cause.threshold * cause.importance if cause.threshold else cause.importance
