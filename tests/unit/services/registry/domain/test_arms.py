from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registry.domain.arms import arms, check_room, main_arm, without_previous
from services.registry.domain.endpoint import MAX_ROUTES, Endpoint, EndpointSpec, Route, Target
from services.registry.domain.errors import NoAliasFollowed, RolloutImpossible
from services.registry.domain.rollout import RolloutPlan, RolloutState, RolloutStep
from tests.unit.services.registry.domain.test_rollout import NOW, ROLLOUT

MAIN = Route("main", Target("m", alias="champion"), 100, 1)
SHADOW = Route("nightly", Target("m", 1), 0, 1, shadow=True)
SECOND = Route("second", Target("m", 1), 300, 1)
OLD = Route("previous", Target("m", 1), 0, 1, shadow=True)


def endpoint(*routes: Route) -> Endpoint:
    return Endpoint("late", EndpointSpec(routes), 1, NOW)


def weights(routes: list[Route]) -> dict[str, int]:
    return {route.name: route.weight for route in routes}


def test_the_arms_of_each_step_and_of_each_end() -> None:
    first = arms(ROLLOUT, [MAIN, SHADOW, OLD])
    candidate = Route("candidate", Target("m", 2), 0, 2, shadow=True)
    assert first == [MAIN, SHADOW, candidate]
    second = arms(replace(ROLLOUT, step=1), first)
    assert second == [replace(MAIN, weight=75), SHADOW, replace(candidate, weight=25)]
    for state in (RolloutState.ROLLED_BACK, RolloutState.INCONCLUSIVE):
        assert arms(replace(ROLLOUT, step=1, state=state), second) == [MAIN, SHADOW]
    done = arms(replace(ROLLOUT, step=3, state=RolloutState.SUCCEEDED), second)
    assert done == [MAIN, SHADOW, OLD]
    assert without_previous(EndpointSpec(tuple(done))).routes == (MAIN, SHADOW)


def test_where_others_have_a_share_only_the_main_arm_gives_of_its_own() -> None:
    rollout = replace(ROLLOUT, step=1)
    assert weights(arms(rollout, [MAIN, SECOND])) == {"main": 75, "second": 300, "candidate": 25}
    light = replace(ROLLOUT, step=1, main_weight=1)
    assert weights(arms(light, [replace(MAIN, weight=1)])) == {"main": 75, "candidate": 25}
    ended = replace(light, state=RolloutState.ROLLED_BACK)
    assert weights(arms(ended, arms(light, [replace(MAIN, weight=1)]))) == {"main": 1}


@given(st.integers(1, 10_000), st.integers(0, 99), st.booleans())
def test_the_candidate_gets_its_share_and_the_end_gives_all_back(weight: int, percent: int, beside: bool) -> None:
    main = replace(MAIN, weight=weight)
    before = [main, SECOND] if beside else [main]
    steps = (replace(ROLLOUT.plan.steps[0], percent=percent),)
    rollout = replace(ROLLOUT, plan=replace(ROLLOUT.plan, steps=steps), main_weight=weight)
    during = weights(arms(rollout, before))
    assert during["main"] + during["candidate"] == (weight if beside else 100)
    if weight >= 100 or not beside:
        share = during["candidate"] / (during["main"] + during["candidate"])
        assert abs(share - percent / 100) <= 0.005
        assert (during["candidate"] > 0) == (percent > 0)
        assert during["main"] > 0
    assert arms(replace(rollout, state=RolloutState.INCONCLUSIVE), arms(rollout, before)) == before


def test_the_main_arm_has_most_of_the_traffic_or_is_the_one_that_a_rollout_named() -> None:
    assert main_arm(endpoint(SHADOW, MAIN, replace(SECOND, weight=100))) == MAIN
    running = replace(endpoint(*arms(replace(ROLLOUT, step=2), [MAIN])), rollout=replace(ROLLOUT, step=2))
    assert main_arm(running).name == "main"
    with pytest.raises(NoAliasFollowed, match="'second'"):
        main_arm(endpoint(MAIN, SECOND))


@pytest.mark.parametrize(
    ("routes", "told"),
    [
        ([MAIN, replace(SECOND, name="candidate")], "candidate"),
        ([replace(MAIN, weight=50), replace(SECOND, weight=1)], "weight 50"),
        ([MAIN, *(replace(SHADOW, name=f"s{n}") for n in range(MAX_ROUTES - 1))], f"{MAX_ROUTES} arms"),
    ],
)
def test_an_endpoint_without_room_is_refused_with_the_mend(routes: list[Route], told: str) -> None:
    with pytest.raises(RolloutImpossible, match=told) as caught:
        check_room(endpoint(*routes), routes[0], ROLLOUT.plan)
    assert "PutEndpoint" in caught.value.message


def test_a_light_main_arm_has_room_for_a_shadow() -> None:
    light = replace(MAIN, weight=50)
    check_room(endpoint(light, replace(SECOND, weight=1)), light, RolloutPlan((RolloutStep(0, 1, 1),)))
