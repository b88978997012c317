from __future__ import annotations

import math
from dataclasses import replace

import pytest

from services.registry.domain.plan import complete
from services.registry.domain.rollout import RolloutKind, RolloutPlan, RolloutStep
from slipway.errors import InvalidInput

PLAN = RolloutPlan((RolloutStep(0, 200, 300), RolloutStep(25, 0, 0)), 0.01, 0.1)


def test_what_nobody_says_is_the_usual_plan() -> None:
    usual = complete(None)
    assert [(step.percent, step.min_labels, step.max_labels) for step in usual.steps] == [
        (0, 500, 50_000),
        (25, 500, 50_000),
    ]
    assert (usual.margin, usual.error_rate) == (0.0, 0.05)


def test_what_is_said_stays_and_what_is_not_is_filled_in() -> None:
    assert complete(PLAN) == replace(PLAN, steps=(PLAN.steps[0], RolloutStep(25, 100, 10_000)))
    assert complete(RolloutPlan((RolloutStep(0, 2**32 - 1, 0),))).steps[0].max_labels == 2**32 - 1


def test_other_kinds_have_a_step_and_a_time_of_their_own() -> None:
    blue_green = complete(RolloutPlan((), kind=RolloutKind.BLUE_GREEN))
    assert (blue_green.steps, blue_green.keep_s) == ((RolloutStep(0, 500, 50_000),), 3_600)
    ab = complete(RolloutPlan((), kind=RolloutKind.AB, experiment="spring"))
    assert (ab.steps, ab.keep_s, ab.experiment) == ((RolloutStep(50, 500, 50_000),), 0, "spring")


@pytest.mark.parametrize(
    ("plan", "field"),
    [
        (RolloutPlan(()), "plan.steps"),
        (RolloutPlan((RolloutStep(0, 0, 0),) * 101), "plan.steps"),
        (RolloutPlan((RolloutStep(0, 0, 0), RolloutStep(100, 0, 0))), "plan.steps[1].percent"),
        (RolloutPlan((RolloutStep(0, 0, 99),)), "plan.steps[0].max_labels"),
        (RolloutPlan((RolloutStep(0, 500, 499),)), "plan.steps[0].max_labels"),
        (replace(PLAN, margin=-0.1), "plan.margin"),
        (replace(PLAN, margin=math.nan), "plan.margin"),
        (replace(PLAN, margin=math.inf), "plan.margin"),
        (replace(PLAN, error_rate=0.5), "plan.error_rate"),
        (replace(PLAN, error_rate=-0.1), "plan.error_rate"),
        (replace(PLAN, error_rate=math.nan), "plan.error_rate"),
        (replace(PLAN, kind=RolloutKind.BLUE_GREEN), "plan.steps"),
        (RolloutPlan((RolloutStep(5, 0, 0),), kind=RolloutKind.BLUE_GREEN), "plan.steps"),
        (RolloutPlan((), kind=RolloutKind.BLUE_GREEN, keep_s=30 * 86_400 + 1), "plan.keep_s"),
        (RolloutPlan((RolloutStep(0, 0, 0),), kind=RolloutKind.AB), "plan.steps"),
        (replace(PLAN, kind=RolloutKind.AB), "plan.steps"),
        (replace(PLAN, keep_s=1), "plan.keep_s"),
        (replace(PLAN, experiment="spring"), "plan.experiment"),
    ],
)
def test_a_bad_plan_is_refused_by_its_field(plan: RolloutPlan, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        complete(plan)
    assert [one.field for one in caught.value.violations] == [field]
