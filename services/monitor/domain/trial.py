"""One step of a rollout on trial: the predictions that both versions scored, against their labels."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from services.monitor.domain.endpoint import Endpoint, Step
from services.monitor.domain.label import Label
from services.monitor.domain.performance import BINS, UNIT
from services.monitor.domain.prediction import Prediction

# Milder than what windows clip at: one answer of exactly 0 or 1 must not decide a trial.
_CLIP = 1e-6
_ERROR_RATE = 0.05
_MIN_LABELS = 100
_MAX_FACTOR = 100


@dataclass(frozen=True, slots=True)
class Trial:
    """What a step asks: version ``candidate`` against ``baseline`` on predictions of event times from ``start_us`` on.

    ``error_rate`` is this step's share of the rollout's.
    """

    endpoint: str
    rollout_id: str
    step: int
    model: str
    candidate: int
    baseline: int
    margin: float
    error_rate: float
    min_labels: int
    max_labels: int
    start_us: int | None


@dataclass(frozen=True, slots=True)
class PairSums:
    """What pairs add up to: the candidate's loss less the baseline's, and its square, in billionths.

    Whole numbers, so that a corrected label takes out exactly what it put in. The bins are those of performance
    windows: 0 to 511 of scores with label 0, 512 to 1023 with label 1.
    """

    labels: int = 0
    total: int = 0
    squared: int = 0
    newest_label_us: int | None = None
    candidate_bins: Mapping[int, int] = field(default_factory=dict)
    baseline_bins: Mapping[int, int] = field(default_factory=dict)

    def __add__(self, other: PairSums) -> PairSums:
        known = [one for one in (self.newest_label_us, other.newest_label_us) if one is not None]
        return PairSums(
            self.labels + other.labels,
            self.total + other.total,
            self.squared + other.squared,
            max(known, default=None),
            _summed(self.candidate_bins, other.candidate_bins),
            _summed(self.baseline_bins, other.baseline_bins),
        )

    def __neg__(self) -> PairSums:
        return PairSums(
            -self.labels,
            -self.total,
            -self.squared,
            None,
            {at: -count for at, count in self.candidate_bins.items()},
            {at: -count for at, count in self.baseline_bins.items()},
        )


@dataclass(frozen=True, slots=True)
class Match:
    """What is kept under one id before and after something came: rows of all arms, and the label that holds."""

    rows_before: Sequence[Prediction]
    label_before: Label | None
    rows: Sequence[Prediction]
    label: Label


def trial_of(endpoint: Endpoint, reached_us: int | None) -> Trial | None:
    """The trial that ``endpoint`` asks for; None when no rollout of it runs.

    ``reached_us`` is how far event time has come. A later step is judged by predictions from there on, not by those of
    the step before; so is a first one, unless the rollout says from when on.
    """
    rollout = endpoint.rollout
    if rollout is None or not rollout.running or rollout.step >= len(rollout.steps):
        return None
    step: Step = rollout.steps[rollout.step]
    known = [one for one in (rollout.start_us, reached_us) if one is not None]
    first = rollout.start_us if rollout.start_us is not None else reached_us
    min_labels = step.min_labels or _MIN_LABELS
    return Trial(
        endpoint=endpoint.name,
        rollout_id=rollout.id,
        step=rollout.step,
        model=rollout.model,
        candidate=rollout.candidate,
        baseline=rollout.baseline,
        margin=rollout.margin,
        error_rate=(rollout.error_rate or _ERROR_RATE) / len(rollout.steps),
        min_labels=min_labels,
        max_labels=max(step.max_labels or _MAX_FACTOR * min_labels, min_labels),
        start_us=first if rollout.step == 0 else max(known, default=None),
    )


def added(trial: Trial, matches: Iterable[Match]) -> PairSums:
    """What ``matches`` add to the sums of ``trial``, less what they take out."""
    sums = PairSums()
    for match in matches:
        after = _pair(trial, match.rows, match.label)
        before = _pair(trial, match.rows_before, match.label_before) if match.label_before else None
        if before != after:
            sums = sums + (after or PairSums()) + (-before if before else PairSums())
    return sums


def _pair(trial: Trial, rows: Sequence[Prediction], label: Label) -> PairSums | None:
    candidate, baseline = (_score(trial, rows, version) for version in (trial.candidate, trial.baseline))
    if candidate is None or baseline is None:
        return None
    value = label.value
    classes = value in {0.0, 1.0} and 0 <= candidate <= 1 and 0 <= baseline <= 1
    difference = loss(candidate, value, classes=classes) - loss(baseline, value, classes=classes)
    return PairSums(
        1,
        round(difference * UNIT),
        round(difference * difference * UNIT),
        label.time_us,
        {_bin(candidate, value): 1} if classes else {},
        {_bin(baseline, value): 1} if classes else {},
    )


def _score(trial: Trial, rows: Sequence[Prediction], version: int) -> float | None:
    """The version's score, the same whichever of its arms is looked at first."""
    found = [
        row
        for row in rows
        if (row.arm.model, row.arm.version) == (trial.model, version)
        and row.score is not None
        and (trial.start_us is None or row.event_us >= trial.start_us)
    ]
    return min(found, key=lambda row: row.arm.route).score if found else None


def loss(score: float, value: float, *, classes: bool) -> float:
    """Log loss of a class in nats, the score clipped to 1e-6 from 0 and 1; the absolute error of an amount."""
    if not classes:
        return abs(score - value)
    return -math.log(min(max(score if value == 1 else 1 - score, _CLIP), 1 - _CLIP))


def _bin(score: float, value: float) -> int:
    return min(int(score * BINS), BINS - 1) + (BINS if value == 1 else 0)


def _summed(one: Mapping[int, int], other: Mapping[int, int]) -> dict[int, int]:
    counted = Counter(one)
    for at, count in other.items():
        counted[at] += count
    return {at: count for at, count in counted.items() if count}
