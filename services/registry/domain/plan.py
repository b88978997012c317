"""The plan of a rollout: what it is when nobody says, and what it must be like."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from services.registry.domain.rollout import RolloutPlan, RolloutStep
from slipway.errors import FieldViolation, InvalidInput

MAX_STEPS = 100
# At 100 percent no row would be scored by both versions, so no verdict could stand.
MAX_PERCENT = 99
MIN_LABELS = 100
_BUDGET = 100
_MOST_LABELS = 2**32 - 1
_ERROR_RATE = 0.05
_USUAL = RolloutPlan((RolloutStep(0, 500, 0), RolloutStep(25, 500, 0)))


def complete(plan: RolloutPlan | None) -> RolloutPlan:
    """``plan`` with every number that it left to the registry. Raises InvalidInput naming each bad field."""
    plan = plan or _USUAL
    if wrong := list(_faults(plan)):
        raise InvalidInput("; ".join(f"{one.field}: {one.description}" for one in wrong), violations=wrong)
    return replace(
        plan, steps=tuple(_completed(step) for step in plan.steps), error_rate=plan.error_rate or _ERROR_RATE
    )


def _completed(step: RolloutStep) -> RolloutStep:
    at_least = step.min_labels or MIN_LABELS
    return RolloutStep(step.percent, at_least, step.max_labels or min(_BUDGET * at_least, _MOST_LABELS))


def _faults(plan: RolloutPlan) -> Iterator[FieldViolation]:
    if not 1 <= len(plan.steps) <= MAX_STEPS:
        yield FieldViolation("plan.steps", f"has {len(plan.steps)} entries; give 1 to {MAX_STEPS}")
    for position, step in enumerate(plan.steps[:MAX_STEPS]):
        field = f"plan.steps[{position}]"
        if step.percent > MAX_PERCENT:
            told = f"is {step.percent}; give 0 to {MAX_PERCENT}, for verdicts rest on rows that both versions score"
            yield FieldViolation(f"{field}.percent", told)
        if step.max_labels and step.max_labels < (step.min_labels or MIN_LABELS):
            told = f"is {step.max_labels}, below min_labels ({step.min_labels or MIN_LABELS}); give at least that, or 0"
            yield FieldViolation(f"{field}.max_labels", told)
    if not (math.isfinite(plan.margin) and plan.margin >= 0):
        yield FieldViolation("plan.margin", f"is {plan.margin}; give a finite number from 0 on")
    if not 0 <= plan.error_rate < 0.5:
        yield FieldViolation("plan.error_rate", f"is {plan.error_rate}; give a number above 0 and below 0.5, or 0")
