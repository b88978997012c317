"""The plan of a rollout: what it is when nobody says, and what it must be like."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from services.registry.domain.rollout import RolloutKind, RolloutPlan, RolloutStep
from slipway.errors import FieldViolation, InvalidInput
from slipway.naming import resource_name

MAX_STEPS = 100
# At 100 percent no row would be scored by both versions, so no verdict could stand.
MAX_PERCENT = 99
MIN_LABELS = 100
_BUDGET = 100
_MOST_LABELS = 2**32 - 1
_ERROR_RATE = 0.05
_USUAL = RolloutPlan((RolloutStep(0, 500, 0), RolloutStep(25, 500, 0)))
_USUAL_STEP = {RolloutKind.BLUE_GREEN: RolloutStep(0, 500, 0), RolloutKind.AB: RolloutStep(50, 500, 0)}
_KEEP_S = 3_600
MAX_KEEP_S = 30 * 86_400


def complete(plan: RolloutPlan | None) -> RolloutPlan:
    """``plan`` with every number that it left to the registry. Raises InvalidInput naming each bad field."""
    plan = plan or _USUAL
    if not plan.steps and plan.kind in _USUAL_STEP:
        plan = replace(plan, steps=(_USUAL_STEP[plan.kind],))
    if wrong := list(_faults(plan)):
        raise InvalidInput("; ".join(f"{one.field}: {one.description}" for one in wrong), violations=wrong)
    keep_s = plan.keep_s or (_KEEP_S if plan.kind is RolloutKind.BLUE_GREEN else 0)
    steps = tuple(_completed(step) for step in plan.steps)
    return replace(plan, steps=steps, error_rate=plan.error_rate or _ERROR_RATE, keep_s=keep_s)


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
    yield from _kind_faults(plan)


def _kind_faults(plan: RolloutPlan) -> Iterator[FieldViolation]:
    """What does not suit the plan's kind."""
    kind, percents = plan.kind, [step.percent for step in plan.steps]
    if kind is RolloutKind.BLUE_GREEN and percents != [0]:
        told = f"have percents {percents}; BLUE_GREEN warms up in the shadow and then switches: give one of 0, or none"
        yield FieldViolation("plan.steps", told)
    if kind is RolloutKind.AB and (len(percents) != 1 or percents == [0]):
        told = f"have percents {percents}; AB keeps to one split: give one of 1 to {MAX_PERCENT}, or none for 50"
        yield FieldViolation("plan.steps", told)
    if plan.keep_s and kind is not RolloutKind.BLUE_GREEN:
        yield FieldViolation("plan.keep_s", f"is for BLUE_GREEN, and this is {kind}; leave it out")
    if plan.keep_s > MAX_KEEP_S:
        yield FieldViolation("plan.keep_s", f"is {plan.keep_s}; give at most {MAX_KEEP_S}, or 0 for {_KEEP_S}")
    if plan.experiment and kind is not RolloutKind.AB:
        yield FieldViolation("plan.experiment", f"is for AB, and this is {kind}; leave it out")
    elif plan.experiment:
        resource_name("plan.experiment", plan.experiment)
