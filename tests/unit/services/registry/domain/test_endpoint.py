from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registry.domain.endpoint import MAX_ROUTES, MAX_WEIGHT, EndpointSpec, Route, Target, check_endpoint
from services.registry.domain.experiment import Experiment
from services.registry.domain.fallback import DefaultAnswer, DefaultOutput, unfit
from services.registry.domain.guardrails import Guardrails
from services.registry.domain.model import DataType, Signature, TensorSpec
from slipway.errors import InvalidInput


def arm(name: str = "main", weight: int = 1, *, model: str = "m", version: int = 1, alias: str = "") -> Route:
    return Route(name, Target(model, version, alias), weight)


@pytest.mark.parametrize(
    ("routes", "fields"),
    [
        ([], ["endpoint.routes"]),
        ([arm(f"a{n}") for n in range(MAX_ROUTES + 1)], ["endpoint.routes"]),
        ([arm("Main")], ["endpoint.routes[0].name"]),
        ([arm(model="../m")], ["endpoint.routes[0].model"]),
        ([arm(alias="No")], ["endpoint.routes[0].alias"]),
        ([arm(version=0)], ["endpoint.routes[0].target"]),
        ([arm(weight=0)], ["endpoint.routes"]),
        ([arm(weight=0), arm("b", 0)], ["endpoint.routes"]),
        ([arm(weight=MAX_WEIGHT + 1)], ["endpoint.routes[0].weight"]),
        ([arm(), arm()], ["endpoint.routes[1].name"]),
        (
            [arm(version=0), arm("b", -1), arm("b")],
            ["endpoint.routes[0].target", "endpoint.routes[1].weight", "endpoint.routes[2].name"],
        ),
    ],
)
def test_every_fault_of_the_arms_is_named(routes: list[Route], fields: list[str]) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_endpoint("late", EndpointSpec(tuple(routes)))
    assert [one.field for one in caught.value.violations] == fields


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ({"guardrails": Guardrails(0.0)}, "guardrails.max_error_share"),
        ({"guardrails": Guardrails(1.0)}, "guardrails.max_error_share"),
        ({"guardrails": Guardrails(math.nan)}, "guardrails.max_error_share"),
        ({"guardrails": Guardrails(None, math.inf)}, "guardrails.max_p99_latency_ms"),
        ({"guardrails": Guardrails(None, 0.0)}, "guardrails.max_p99_latency_ms"),
        ({"guardrails": Guardrails(0.1, window_batches=10_001)}, "guardrails.window_batches"),
        ({"guardrails": Guardrails(0.1, window_batches=10, min_batches=11)}, "guardrails.min_batches"),
        ({"guardrails": Guardrails(0.1, min_batches=5)}, "guardrails.window_batches"),
        ({"guardrails": Guardrails(None, 5.0, 99)}, "guardrails.window_batches"),
        ({"guardrails": Guardrails(None, 5.0, 0, 99)}, "guardrails.min_batches"),
        ({"guardrails": Guardrails(None, 5.0, 0, 1_001)}, "guardrails.min_batches"),
        ({"fallback": DefaultAnswer(())}, "fallback.default_answer.outputs"),
        ({"fallback": DefaultAnswer((DefaultOutput("p"),))}, "fallback.default_answer.outputs[0]"),
        ({"fallback": DefaultAnswer((DefaultOutput("p", (math.nan,)),))}, "fallback.default_answer.outputs[0].values"),
        (
            {"fallback": DefaultAnswer(tuple(DefaultOutput(f"p{n}", (1.0,) * 1_024) for n in range(40)))},
            "fallback.default_answer.outputs",
        ),
        ({"sticky_by": ("plane", "plane")}, "sticky_by[1]"),
        ({"sticky_by": tuple(f"k{n}" for n in range(17))}, "sticky_by"),
        ({"experiment": Experiment("x", ("main",))}, "experiment.arms"),
        ({"experiment": Experiment("x", ("main", "main"))}, "experiment.arms"),
        ({"experiment": Experiment("x", ("main", "dark"))}, "experiment.arms[1]"),
    ],
)
def test_every_fault_beside_the_arms_is_named(parts: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_endpoint("late", EndpointSpec((arm(), arm("b"), arm("dark", 0)), **parts))
    assert [one.field for one in caught.value.violations] == [f"endpoint.{field}"]


@pytest.mark.parametrize(
    ("datatype", "shape", "output", "fits"),
    [
        (DataType.FP32, (-1, 2), DefaultOutput("p", (0.5, 0.5)), True),
        (DataType.FP32, (-1,), DefaultOutput("p", (0.5, 0.5)), False),
        (DataType.INT64, (-1, 1), DefaultOutput("p", (2.0,)), True),
        (DataType.INT64, (-1, 1), DefaultOutput("p", (2.5,)), False),
        (DataType.INT32, (-1, 1), DefaultOutput("p", (2.0**31,)), False),
        (DataType.BOOL, (-1, 1), DefaultOutput("p", (2.0,)), False),
        (DataType.BYTES, (-1,), DefaultOutput("p", (), ("late",)), True),
        (DataType.BYTES, (-1,), DefaultOutput("p", (1.0,)), False),
        (DataType.FP32, (-1,), DefaultOutput("q", (0.5,)), False),
    ],
)
def test_a_default_answer_has_the_shape_and_type_of_each_output(
    datatype: DataType, shape: tuple[int, ...], output: DefaultOutput, fits: bool
) -> None:
    signature = Signature((), (TensorSpec("p", datatype, shape),))
    assert (unfit(DefaultAnswer((output,)), signature) == "") is fits


@given(st.lists(st.integers(0, MAX_WEIGHT), min_size=1, max_size=MAX_ROUTES))
def test_any_weights_will_do_as_long_as_one_is_not_zero(weights: list[int]) -> None:
    routes = [arm(f"a{position}", weight) for position, weight in enumerate(weights)]
    if any(weights):
        check_endpoint("late", EndpointSpec(tuple(routes)))
    else:
        with pytest.raises(InvalidInput):
            check_endpoint("late", EndpointSpec(tuple(routes)))
