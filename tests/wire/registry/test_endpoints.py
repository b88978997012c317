from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from slipway.errors import Kind, SlipwayError
from slipway.gen.slipway.registry.v1 import events_pb2
from slipway.gen.slipway.registry.v1 import registry_pb2 as pb
from slipway.gen.slipway.registry.v1 import resources_pb2 as res

FOLLOWING = [res.Route(name="main", model="m", alias="champion", weight=100)]


def put(name: str, routes: list[res.Route], **more: Any) -> pb.PutEndpointRequest:
    return pb.PutEndpointRequest(endpoint=res.Endpoint(name=name, routes=routes), **more)


def alias(version: int, **more: Any) -> pb.SetAliasRequest:
    return pb.SetAliasRequest(model="m", alias="champion", version=version, **more)


async def refused(wire: Any, method: str, request: Any) -> SlipwayError:
    with pytest.raises(SlipwayError) as caught:
        await wire.call(method, request)
    return caught.value


async def test_an_alias_moves_and_its_endpoints_with_it_and_each_event_comes_once(wire: Any) -> None:
    await wire.versions("m", 3)
    await wire.call("SetAlias", alias(1))
    first = (await wire.call("PutEndpoint", put("late", FOLLOWING))).endpoint
    fixed = [res.Route(name="main", model="m", version=1, weight=1)]
    other = (await wire.call("PutEndpoint", put("pinned", fixed))).endpoint
    assert (first.routes[0].resolved_version, first.revision, other.revision) == (1, 1, 2)

    moved = (await wire.call("SetAlias", alias(2))).alias
    assert (moved.name, moved.version) == ("champion", 2)
    after = (await wire.call("GetEndpoint", pb.GetEndpointRequest(name="late"))).endpoint
    assert (after.routes[0].resolved_version, after.revision) == (2, 3)
    assert (await wire.call("GetEndpoint", pb.GetEndpointRequest(name="pinned"))).endpoint == other
    by_alias = pb.GetModelVersionRequest(model="m", alias="champion")
    assert (await wire.call("GetModelVersion", by_alias)).version.number == 2
    assert [one.name for one in (await wire.call("ListEndpoints", pb.ListEndpointsRequest())).endpoints] == [
        "late",
        "pinned",
    ]

    records = await wire.events("registry.endpoint.v1", 3)
    changes = [events_pb2.EndpointChanged.FromString(record.event.value) for record in records]
    assert [change.put for change in changes] == [first, other, after]
    records = await wire.events("registry.model-version.v1", 5)
    moves = [events_pb2.ModelVersionChanged.FromString(record.event.value) for record in records][3:]
    assert [(one.alias_moved.from_version, one.alias_moved.to_version) for one in moves] == [(0, 1), (1, 2)]
    assert len({record.event.id for record in records}) == 5


async def test_a_write_that_expects_something_else_is_aborted_and_changes_nothing(wire: Any) -> None:
    await wire.versions("m", 2)
    await wire.call("SetAlias", alias(1, expected_version=0))
    taken = await refused(wire, "SetAlias", alias(2, expected_version=0))
    assert (taken.kind, taken.reason, taken.facts) == (
        Kind.ABORTED,
        "CHANGED_MEANWHILE",
        {"expected": "0", "actual": "1"},
    )
    endpoint = (await wire.call("PutEndpoint", put("late", FOLLOWING, expected_revision=0))).endpoint
    fixed = [res.Route(name="main", model="m", version=2, weight=1)]
    assert (await refused(wire, "PutEndpoint", put("late", fixed, expected_revision=9))).kind is Kind.ABORTED
    assert (await wire.call("GetEndpoint", pb.GetEndpointRequest(name="late"))).endpoint == endpoint


async def test_a_repeated_conditional_write_finds_its_own_work(wire: Any) -> None:
    await wire.versions("m", 2)
    asked = alias(1, expected_version=0)
    assert await wire.call("SetAlias", asked) == await wire.call("SetAlias", asked)
    request = put("late", FOLLOWING, expected_revision=0)
    assert await wire.call("PutEndpoint", request) == await wire.call("PutEndpoint", request)
    assert len(await wire.events("registry.endpoint.v1", 1)) == 1


async def test_an_alias_that_is_followed_stays(wire: Any) -> None:
    await wire.versions("m")
    await wire.call("SetAlias", alias(1))
    await wire.call("PutEndpoint", put("late", FOLLOWING))
    asked = pb.DeleteAliasRequest(model="m", alias="champion")
    used = await refused(wire, "DeleteAlias", asked)
    assert (used.kind, used.reason, used.facts) == (Kind.FAILED_PRECONDITION, "ALIAS_IN_USE", {"endpoints": "late"})
    await wire.call("DeleteEndpoint", pb.DeleteEndpointRequest(name="late"))
    await wire.call("DeleteAlias", asked)
    assert (await refused(wire, "DeleteAlias", asked)).reason == "ALIAS_NOT_FOUND"
    gone = await refused(wire, "GetEndpoint", pb.GetEndpointRequest(name="late"))
    assert (gone.kind, gone.reason) == (Kind.NOT_FOUND, "ENDPOINT_NOT_FOUND")
    records = await wire.events("registry.endpoint.v1", 2)
    assert events_pb2.EndpointChanged.FromString(records[-1].event.value).deleted == "late"


@pytest.mark.parametrize(
    ("route", "reason"),
    [
        (res.Route(name="main", model="m", alias="nobody", weight=1), "ALIAS_NOT_FOUND"),
        (res.Route(name="main", model="m", version=77, weight=1), "VERSION_NOT_FOUND"),
        (res.Route(name="main", model="m", version=2**32 - 1, weight=1), "VERSION_NOT_FOUND"),
        (res.Route(name="main", model="none", version=1, weight=1), "VERSION_NOT_FOUND"),
    ],
)
async def test_a_route_to_nowhere_is_refused(wire: Any, route: res.Route, reason: str) -> None:
    await wire.versions("m")
    error = await refused(wire, "PutEndpoint", put("late", [route]))
    assert (error.kind, error.reason) == (Kind.NOT_FOUND, reason)


async def test_a_watcher_sees_everything_then_each_change(wire: Any) -> None:
    await wire.versions("m", 2)
    await wire.call("SetAlias", alias(1))
    await wire.call("PutEndpoint", put("late", FOLLOWING))
    await wire.call("PutEndpoint", put("gone", FOLLOWING))
    await wire.call("DeleteEndpoint", pb.DeleteEndpointRequest(name="gone"))
    async with aclosing(wire.stream("WatchEndpoints")) as states:
        first = await anext(states)
        assert (first.snapshot, first.revision, list(first.deleted)) == (True, 3, [])
        assert [(one.name, one.routes[0].resolved_version) for one in first.endpoints] == [("late", 1)]
        assert [(one.model, one.number) for one in first.versions] == [("m", 1)]
        await wire.call("SetAlias", alias(2))
        moved = await anext(states)
        assert (moved.snapshot, moved.revision, moved.versions[0].number) == (False, 4, 2)
        await wire.call("DeleteEndpoint", pb.DeleteEndpointRequest(name="late"))
        gone = await anext(states)
        assert (gone.revision, list(gone.endpoints), list(gone.deleted)) == (5, [], ["late"])


async def test_a_watcher_without_endpoints_gets_an_empty_snapshot(wire: Any) -> None:
    async with aclosing(wire.stream("WatchEndpoints")) as states:
        assert await anext(states) == pb.WatchEndpointsResponse(snapshot=True)


async def test_a_slow_watcher_ends_where_everyone_is_and_never_goes_back(wire: Any) -> None:
    await wire.versions("m", 2)
    async with aclosing(wire.stream("WatchEndpoints")) as states:
        await anext(states)
        for turn in range(40):
            routes = [res.Route(name="main", model="m", version=1 + turn % 2, weight=1 + turn)]
            await wire.call("PutEndpoint", put("late", routes))
        seen = 0
        while seen < 40:
            state = await anext(states)
            assert state.revision > seen
            assert state.endpoints[0].revision == state.revision
            seen = state.revision
        assert state.endpoints[0].routes[0].weight == 40


async def test_watchers_end_with_unavailable_when_the_registry_drains(wire: Any) -> None:
    watchers = [wire.stream("WatchEndpoints") for _ in range(3)]
    for watcher in watchers:
        await anext(watcher)
    stopping = asyncio.create_task(wire.server.stop())
    for watcher in watchers:
        with pytest.raises(SlipwayError) as caught:
            await anext(watcher)
        assert (caught.value.kind, caught.value.reason) == (Kind.UNAVAILABLE, "DRAINING")
        assert caught.value.retry_after_s is not None
    await stopping
    assert wire.server.open_streams == 0
