from __future__ import annotations

import pytest

from services.inference_gateway.domain.desired import (
    NOTHING,
    Desired,
    Endpoint,
    Route,
    Step,
    VersionKey,
    VersionSpec,
    plan,
)
from services.inference_gateway.domain.signature import Signature

V1, V2, V3 = (VersionKey("m", number) for number in (1, 2, 3))
Arms = dict[str, tuple[Route, ...]]


def route(version: VersionKey, weight: int = 100, name: str = "main") -> Route:
    return Route(name, version, weight)


def spec(key: VersionKey) -> VersionSpec:
    return VersionSpec(key, f"sha256:{key.number}", Signature((), ()))


def desired(**endpoints: tuple[Route, ...]) -> Desired:
    """Endpoints of these arms; one that says so is no arm, but the fallback."""
    found = {name: endpoint(name, routes) for name, routes in endpoints.items()}
    keys = {key for one in found.values() for key in one.versions}
    return Desired(1, found, {key: spec(key) for key in keys})


def endpoint(name: str, routes: tuple[Route, ...]) -> Endpoint:
    arms = tuple(one for one in routes if not one.fallback)
    return Endpoint(name, arms, 1, fallback=next((one.version for one in routes if one.fallback), None))


OLD = (route(V1),)
NEW = (route(V2),)
SPLIT = (route(V1, 90), route(V2, 10, "canary"))
STAND_IN = Route("fallback", V2, 0, fallback=True)
BACKED = (*OLD, STAND_IN)
SHADOWED = (route(V1), route(V2, 0, "shadow"))


@pytest.mark.parametrize(
    ("wanted", "loaded", "loading", "serving", "load", "unload", "arms"),
    [
        pytest.param({}, set(), set(), {}, set(), set(), {}, id="nothing"),
        pytest.param({"e": OLD}, set(), set(), {}, {V1}, set(), {}, id="the first version is loaded"),
        pytest.param({"e": OLD}, set(), {V1}, {}, set(), set(), {}, id="and is not loaded twice"),
        pytest.param({"e": OLD}, {V1}, set(), {}, set(), set(), {"e": OLD}, id="and answers when it is loaded"),
        pytest.param({"e": NEW}, {V1}, set(), {"e": OLD}, {V2}, set(), {"e": OLD}, id="load before flip"),
        pytest.param({"e": NEW}, {V1}, {V2}, {"e": OLD}, set(), set(), {"e": OLD}, id="the old arm serves meanwhile"),
        pytest.param({"e": NEW}, {V1, V2}, set(), {"e": OLD}, set(), {V1}, {"e": NEW}, id="flip, then unload"),
        pytest.param({"e": SPLIT}, {V1}, {V2}, {"e": OLD}, set(), set(), {"e": OLD}, id="a split waits for all"),
        pytest.param({"e": SPLIT}, {V1, V2}, set(), {"e": OLD}, set(), set(), {"e": SPLIT}, id="a split begins"),
        pytest.param(
            {"e": SHADOWED}, {V1}, {V2}, {"e": OLD}, set(), set(), {"e": (route(V1),)}, id="weight 0 keeps nobody"
        ),
        pytest.param({"e": SHADOWED}, {V1, V2}, set(), {}, set(), set(), {"e": SHADOWED}, id="and joins when loaded"),
        pytest.param({}, {V1}, set(), {"e": OLD}, set(), {V1}, {}, id="a deleted endpoint ends at once"),
        pytest.param(
            {"f": OLD}, {V1}, set(), {"e": OLD}, set(), set(), {"f": OLD}, id="a version that another one needs stays"
        ),
        pytest.param(
            {"e": NEW, "f": NEW}, {V1, V3}, {V2}, {"e": OLD}, set(), {V3}, {"e": OLD}, id="what nobody uses goes"
        ),
        pytest.param({"e": BACKED}, {V1}, set(), {}, {V2}, set(), {"e": OLD}, id="a fallback keeps nobody"),
        pytest.param({"e": BACKED}, {V1, V2}, set(), {}, set(), set(), {"e": (*OLD, STAND_IN)}, id="and joins as last"),
        pytest.param(
            {"e": (route(V3),)}, {V1, V2}, {V3}, {"e": OLD}, set(), {V2}, {"e": OLD}, id="a step between is left out"
        ),
    ],
)
def test_the_next_step(
    wanted: Arms,
    loaded: set[VersionKey],
    loading: set[VersionKey],
    serving: Arms,
    load: set[VersionKey],
    unload: set[VersionKey],
    arms: Arms,
) -> None:
    following = plan(desired(**wanted), loaded, loading, serving)
    assert (following.load, following.unload, following.arms) == (load, unload, arms)
    assert not following.unload & {one.version for routes in following.arms.values() for one in routes}


def test_a_snapshot_forgets_and_a_change_adds() -> None:
    step = Step(1, True, [Endpoint("e", OLD, 1), Endpoint("f", NEW, 1)], [], [spec(V1), spec(V2)])
    first = NOTHING.after(step)
    assert (set(first.endpoints), set(first.versions)) == ({"e", "f"}, {V1, V2})
    changed = first.after(Step(2, False, [Endpoint("e", (route(V3),), 2)], ["f"], [spec(V3)]))
    assert (changed.revision, set(changed.endpoints), set(changed.versions)) == (2, {"e"}, {V3})
    again = changed.after(Step(3, True, [Endpoint("g", NEW, 3)], [], [spec(V2)]))
    assert (set(again.endpoints), set(again.versions)) == ({"g"}, {V2})


def test_a_version_that_is_not_described_is_not_known() -> None:
    step = Step(1, True, [Endpoint("e", OLD, 1)], [], [])
    assert NOTHING.after(step).versions == {}
