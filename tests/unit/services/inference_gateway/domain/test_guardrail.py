from __future__ import annotations

import numpy as np
import pytest

from services.inference_gateway.domain.desired import Endpoint, Route, VersionKey
from services.inference_gateway.domain.guardrail import Guardrails, unloadable, why_broken, why_unsound
from services.inference_gateway.domain.signature import DataType, Signature, TensorSpec

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
    assert bool(why_broken(at, arm, outcomes, RAILS)) is broken


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
