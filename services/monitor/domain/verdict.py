"""Verdicts on a rollout's step, by a confidence sequence that may be looked at after every label."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from datetime import datetime

from services.monitor.domain.figures import auc_of
from services.monitor.domain.performance import UNIT
from services.monitor.domain.trial import PairSums, Trial

# Below it the sequence, which holds for many, says nothing yet.
_FEW = 30


class Decision(enum.StrEnum):
    """What a verdict says."""

    PROMOTE = "promote"
    ROLL_BACK = "roll_back"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Interval:
    """The mean of the differences so far, and the ends of its confidence sequence."""

    mean: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said of one step. ``harm`` is the candidate's mean loss less the baseline's; below 0 is better."""

    endpoint: str
    rollout_id: str
    step: int
    decision: Decision
    reason: str
    labels: int
    harm: Interval
    candidate_auc: float | None
    baseline_auc: float | None
    event_us: int
    create_time: datetime


def interval(trial: Trial, sums: PairSums) -> Interval:
    """The asymptotic confidence sequence of the mean difference, at the trial's error rate.

    Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, "Time-uniform central limit theory and asymptotic confidence
    sequences", 2021: with the given chance it holds the true mean at all times at once, so looking often costs nothing.
    It is at its tightest halfway, in proportion, from the least labels to the most.
    """
    rows = sums.labels
    if rows < 2:
        return Interval(sums.total / UNIT if rows else 0.0, -math.inf, math.inf)
    mean = sums.total / UNIT / rows
    deviation = math.sqrt(max(0.0, sums.squared / UNIT / rows - mean * mean) * rows / (rows - 1))
    rate = math.log(1 / trial.error_rate)
    tightest = math.sqrt(trial.min_labels * trial.max_labels)
    rho2 = (2 * rate + math.log(2 * rate) + 1) / tightest
    spread = rows * rho2 + 1
    half = deviation * math.sqrt(2 * spread / (rows * rows * rho2) * math.log(math.sqrt(spread) / trial.error_rate))
    return Interval(mean, mean - half, mean + half)


def decide(trial: Trial, sums: PairSums) -> Decision | None:
    """The decision, None while it is open. Without labels none is reached: no data is never a pass."""
    found = interval(trial, sums)
    if sums.labels >= trial.min_labels and found.upper <= trial.margin:
        return Decision.PROMOTE
    if sums.labels >= min(_FEW, trial.min_labels) and found.lower > trial.margin:
        return Decision.ROLL_BACK
    return Decision.INCONCLUSIVE if sums.labels >= trial.max_labels else None


def verdict(trial: Trial, sums: PairSums, now: datetime) -> Verdict | None:
    """What is to be said now, None while it is open."""
    decision = decide(trial, sums)
    if decision is None:
        return None
    found = interval(trial, sums)
    return Verdict(
        endpoint=trial.endpoint,
        rollout_id=trial.rollout_id,
        step=trial.step,
        decision=decision,
        reason=_reason(trial, sums, found, decision),
        labels=sums.labels,
        harm=found,
        candidate_auc=auc_of(sums.candidate_bins),
        baseline_auc=auc_of(sums.baseline_bins),
        event_us=sums.newest_label_us or 0,
        create_time=now,
    )


def _reason(trial: Trial, sums: PairSums, found: Interval, decision: Decision) -> str:
    said = {
        Decision.PROMOTE: "harm beyond the margin is ruled out",
        Decision.ROLL_BACK: "harm beyond the margin is shown",
        Decision.INCONCLUSIVE: f"the budget of {trial.max_labels} labels ended without a decision",
    }[decision]
    return (
        f"{said}: on {sums.labels} labels the mean loss of version {trial.candidate} is {found.mean:+.5f} against"
        f" version {trial.baseline} (from {found.lower:+.5f} to {found.upper:+.5f}; margin {trial.margin:g})"
    )
