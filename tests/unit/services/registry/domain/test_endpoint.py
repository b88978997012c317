from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registry.domain.endpoint import MAX_ROUTES, MAX_WEIGHT, Route, Target, check_endpoint
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
        check_endpoint("late", routes)
    assert [one.field for one in caught.value.violations] == fields


@given(st.lists(st.integers(0, MAX_WEIGHT), min_size=1, max_size=MAX_ROUTES))
def test_any_weights_will_do_as_long_as_one_is_not_zero(weights: list[int]) -> None:
    routes = [arm(f"a{position}", weight) for position, weight in enumerate(weights)]
    if any(weights):
        check_endpoint("late", routes)
    else:
        with pytest.raises(InvalidInput):
            check_endpoint("late", routes)
