from __future__ import annotations

from services.inference_gateway.domain.desired import Desired, Endpoint, Route, VersionKey
from services.inference_gateway.domain.unloaded import Unloaded, takers

A, B, C, D = (VersionKey("m", number) for number in range(1, 5))


def desired(**arms: tuple[Route, ...]) -> Desired:
    endpoints = {name: Endpoint(name, routes, 1) for name, routes in arms.items()}
    keys = {route.version for routes in arms.values() for route in routes}
    return Desired(1, endpoints, dict.fromkeys(keys))  # type: ignore[arg-type]  # no spec is looked at


def test_arms_with_weight_shadows_and_those_that_still_serve_take_traffic() -> None:
    late = (Route("main", A, 1), Route("old", B, 0), Route("dark", C, 0, shadow=True))
    wanted = desired(late=late, early=(Route("main", B, 5),), none=(Route("main", D, 0), Route("other", A, 0)))
    assert {one: takers(wanted, {}, one) for one in (A, B, C, D)} == {
        A: ["late"],
        B: ["early"],
        C: ["late"],
        D: ["none"],  # without any weight the first arm answers
    }
    assert takers(desired(late=late), {"late": (Route("main", B, 1),)}, B) == ["late"]


def test_a_fallback_stands_by_and_is_not_unloaded() -> None:
    wanted = Desired(1, {"late": Endpoint("late", (Route("main", A, 1),), 1, fallback=B)}, {})
    assert takers(wanted, {}, B) == ["late"]
    assert takers(wanted, {}, C) == []


def test_it_stays_out_until_rows_go_to_it() -> None:
    unloaded = Unloaded()
    unloaded.add(B)
    quiet = desired(late=(Route("main", A, 1), Route("old", B, 0)))
    assert unloaded.back(quiet, {}) == []
    assert [route.version for route in unloaded.less(quiet).endpoints["late"].routes] == [A]
    assert unloaded.less_serving({"late": (Route("main", A, 1), Route("old", B, 0))})["late"] == (Route("main", A, 1),)
    assert unloaded.back(desired(late=(Route("main", A, 1), Route("old", B, 1))), {}) == [B]
    assert unloaded.reasons == {}


def test_what_nobody_wants_any_more_is_forgotten() -> None:
    unloaded = Unloaded()
    unloaded.add(B)
    assert unloaded.back(desired(late=(Route("main", A, 1),)), {}) == [B]
