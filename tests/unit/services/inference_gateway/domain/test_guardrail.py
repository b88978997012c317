from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.inference_gateway.domain.desired import Desired, Endpoint, Limits, Route, VersionKey
from services.inference_gateway.domain.guardrail import Guardrails, unloadable, why_broken, why_unsound
from services.inference_gateway.domain.signature import DataType, Signature, TensorSpec
from services.inference_gateway.domain.window import Window
from services.inference_gateway.engine.guard import Guard
from slipway.clock import ManualClock

RAILS = Guardrails(batches=4, error_share=0.5, load_attempts=3)
V1, V2, V3 = (VersionKey("m", number) for number in (1, 2, 3))
BAD, GOOD, HALF = ["why"] * 4, [""] * 4, ["", "", "why", "why"]


def endpoint(candidate_weight: int = 10, *, shadow: bool = False, main_weight: int = 90) -> Endpoint:
    return Endpoint("e", (Route("main", V1, main_weight), Route("candidate", V2, candidate_weight, shadow)), 7)


@pytest.mark.parametrize(
    ("at", "arm", "outcomes", "broken"),
    [
        pytest.param(
            endpoint(), "candidate", {"main": GOOD, "candidate": BAD}, True, id="it fails, the other does not"
        ),
        pytest.param(
            endpoint(), "candidate", {"main": [""], "candidate": BAD}, True, id="one answer of the other will do"
        ),
        pytest.param(endpoint(), "candidate", {"main": GOOD, "candidate": HALF}, False, id="just the share is borne"),
        pytest.param(endpoint(), "candidate", {"main": GOOD, "candidate": BAD[:3]}, False, id="too few to tell"),
        pytest.param(endpoint(), "candidate", {"main": BAD, "candidate": BAD}, False, id="all fail"),
        pytest.param(endpoint(), "candidate", {"candidate": BAD}, False, id="nothing is known of the other"),
        pytest.param(endpoint(), "main", {"main": BAD, "candidate": GOOD}, True, id="the main arm too"),
        pytest.param(endpoint(0), "main", {"main": BAD, "candidate": GOOD}, False, id="the last with weight stays"),
        pytest.param(
            endpoint(0, shadow=True), "candidate", {"candidate": BAD}, True, id="a shadow takes nobody's rows"
        ),
        pytest.param(endpoint(0), "candidate", {"main": GOOD, "candidate": BAD}, False, id="it is at zero already"),
        pytest.param(endpoint(), "gone", {"gone": BAD}, False, id="an arm that is no more"),
    ],
)
def test_an_arm_is_broken_when_it_fails_and_another_does_not(
    at: Endpoint, arm: str, outcomes: dict[str, list[str]], broken: bool
) -> None:
    windows = {name: window([(why, None, 1) for why in whys]) for name, whys in outcomes.items()}
    assert bool(why_broken(at, arm, windows, RAILS)) is broken


def window(seen: Iterable[tuple[str, float | None, int]], rails: Guardrails = RAILS) -> Window:
    made = rails.window()
    for why, seconds, rows in seen:
        made.add(why, seconds, rows)
    return made


QUICK, SLOW, EITHER = ("", 0.01, 1), ("", 0.2, 1), ("", 0.05, 1)
TIMED = RAILS.under(Limits(p99_s=0.05, window=400, least=100))


@pytest.mark.parametrize(
    ("at", "main", "candidate", "broken"),
    [
        pytest.param(endpoint(), [QUICK] * 100, [QUICK] * 98 + [SLOW] * 2, True, id="two of a hundred are above"),
        pytest.param(endpoint(), [QUICK] * 100, [QUICK] * 99 + [SLOW], False, id="one of a hundred is borne"),
        pytest.param(endpoint(), [QUICK] * 100, [EITHER] * 400, False, id="just the limit is borne"),
        pytest.param(endpoint(), [QUICK] * 100, [QUICK] * 99 + [("", 9.0, 2)], True, id="a batch counts by its rows"),
        pytest.param(endpoint(), [QUICK] * 100, [SLOW] * 99, False, id="too few to tell"),
        pytest.param(endpoint(), [QUICK] * 99, [SLOW] * 400, False, id="too little is known of the other"),
        pytest.param(endpoint(), [SLOW] * 400, [SLOW] * 400, False, id="all are slow"),
        pytest.param(endpoint(), [QUICK] * 100, [SLOW] * 400 + [QUICK] * 400, False, id="it is quick again"),
        pytest.param(endpoint(), [QUICK] * 100, [("", None, 1)] * 400, False, id="nobody waited for them"),
        pytest.param(endpoint(0, shadow=True), [QUICK] * 100, [SLOW] * 400, False, id="nobody waits for a shadow"),
        pytest.param(endpoint(main_weight=0), [QUICK] * 100, [SLOW] * 400, False, id="the last with weight stays"),
    ],
)
def test_an_arm_is_broken_when_it_is_slow_and_another_is_not(
    at: Endpoint,
    main: list[tuple[str, float | None, int]],
    candidate: list[tuple[str, float | None, int]],
    broken: bool,
) -> None:
    windows = {"main": window(main, TIMED), "candidate": window(candidate, TIMED)}
    told = why_broken(at, "candidate", windows, TIMED)
    assert bool(told) is broken
    assert not broken or "50 are borne" in told


@given(st.lists(st.tuples(st.sampled_from(["", "why"]), st.none() | st.floats(0, 1), st.integers(1, 9)), max_size=60))
def test_a_window_is_as_its_last_batches_are(seen: list[tuple[str, float | None, int]]) -> None:
    made = Window(20, 0.5)
    for why, seconds, rows in seen:
        assert made.add(why, seconds, rows) is (seconds is not None and seconds > 0.5)
    last = seen[-20:]
    times = [one[1] for one in last if one[1] is not None for _ in range(one[2])]
    assert (len(made), made.timed) == (len(last), sum(one[1] is not None for one in last))
    assert made.failures()[0] == sum(bool(one[0]) for one in last)
    expected = float(np.quantile(times, 0.99, method="inverted_cdf")) if times else 0.0
    assert made.p99_s() == expected
    assert made.slow is (expected > 0.5)


def test_an_endpoint_limits_what_it_says_and_leaves_the_rest() -> None:
    assert RAILS.under(Limits()) is RAILS
    assert RAILS.under(Limits(error_share=0.1)) == replace(RAILS, error_share=0.1)
    assert RAILS.under(Limits(None, 0.05, 1_000, 100)) == Guardrails(1_000, 0.5, 3, 0.05, 100)


def test_the_guard_holds_each_arm_to_its_endpoint_until_that_changes() -> None:
    at = replace(endpoint(), limits=Limits(p99_s=0.05, window=400, least=100))
    desired = Desired(7, {"e": at}, {})
    guard, (main, candidate) = Guard(RAILS, ManualClock()), at.routes
    for _ in range(100):
        assert not guard.observe(desired, "e", main, "", seconds=0.01, rows=8)
    told = [guard.observe(desired, "e", candidate, "", seconds=0.2, rows=8) for _ in range(100)]
    assert told == [False] * 99 + [True]
    ((one, announced),) = guard.state()
    assert (one.route, one.revision, announced) == ("candidate", 7, False)
    assert [route.weight for route in guard.effective(desired).endpoints["e"].routes] == [90, 0]
    later = Desired(8, {"e": replace(at, revision=8)}, {})
    guard.follow(later)
    assert guard.effective(later) == later


@pytest.mark.parametrize(
    ("at", "attempts", "loaded", "names"),
    [
        pytest.param(endpoint(), {V2: 3}, {V1}, ["candidate"], id="the others go on without"),
        pytest.param(endpoint(), {V2: 2}, {V1}, [], id="it is tried again first"),
        pytest.param(endpoint(), {V2: 9}, set(), [], id="there is nobody else yet"),
        pytest.param(endpoint(), {V1: 9, V2: 9}, set(), [], id="nobody can be loaded"),
        pytest.param(endpoint(0, shadow=True), {V2: 3}, set(), ["candidate"], id="a shadow"),
        pytest.param(endpoint(0), {V2: 3}, {V1}, [], id="an arm at zero"),
        pytest.param(endpoint(), {V1: 3}, {V2}, ["main"], id="the main arm"),
    ],
)
def test_an_arm_that_can_not_be_loaded_goes_when_others_can(
    at: Endpoint, attempts: dict[VersionKey, int], loaded: set[VersionKey], names: list[str]
) -> None:
    assert [one.name for one in unloadable(at, attempts, loaded, RAILS)] == names


def test_only_the_first_numbers_tell_and_only_when_none_is_finite() -> None:
    outputs = (TensorSpec("label", DataType.INT64, (-1,)), TensorSpec("p", DataType.FP32, (-1, 2)))
    signature = Signature((), (*outputs, TensorSpec("echo", DataType.FP64, (-1,))))
    told = {"label": np.array([1, 0]), "echo": np.array([np.nan, np.nan])}
    assert why_unsound(signature, {**told, "p": np.array([[np.nan, 0.5], [np.nan, np.nan]])}) == ""
    assert "'p'" in why_unsound(signature, {**told, "p": np.full((2, 2), np.inf)})
    assert why_unsound(Signature((), outputs[:1]), told) == ""
