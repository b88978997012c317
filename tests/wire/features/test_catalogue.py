"""Feature serving over a loopback channel, composed as its main does: a real SQLite file, a real Redis."""

from __future__ import annotations

import asyncio
import json
import socket
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from google.protobuf.message import Message

from slipway.client import Feature, FeatureView, ValueType
from slipway.errors import Kind, SlipwayError
from slipway.gen.slipway.features.v1 import features_pb2 as pb
from slipway.gen.slipway.features.v1 import resources_pb2 as res

PLANES = FeatureView(
    name="planes",
    owner="fleet",
    entities=("tailnum",),
    features=(Feature("seats", ValueType.INT32, "Seats."), Feature("age_years", ValueType.FLOAT)),
    description="Planes.",
    max_age=timedelta(days=7),
)


async def test_views_are_applied_found_and_listed(features: Any) -> None:
    other = replace(PLANES, name="airports", entities=("airport",), max_age=None)
    stored = await features.client.features.apply([PLANES, other])
    assert [(view.name, view.revision) for view in stored] == [("planes", 1), ("airports", 1)]
    planes = await features.client.features.get_view("planes")
    assert planes == stored[0]
    assert replace(planes, update_time=None, revision=0) == PLANES
    assert [view.name async for view in features.client.features.views()] == ["airports", "planes"]


async def test_the_same_definition_keeps_its_revision_and_another_raises_it(features: Any) -> None:
    (first,) = await features.client.features.apply([PLANES])
    assert await features.client.features.apply([PLANES]) == [first]
    (second,) = await features.client.features.apply([replace(PLANES, owner="dock")])
    assert (second.revision, second.owner) == (2, "dock")


async def test_a_refused_change_leaves_every_view_as_it_was(features: Any) -> None:
    (first,) = await features.client.features.apply([PLANES])
    fresh = replace(PLANES, name="fresh")
    wider = replace(PLANES, features=(Feature("seats", ValueType.INT64),))
    with pytest.raises(SlipwayError, match="'seats' of view 'planes' is INT32 and can't become INT64") as raised:
        await features.client.features.apply([fresh, wider])
    assert (raised.value.kind, raised.value.reason) == (Kind.FAILED_PRECONDITION, "FEATURE_TYPE_CHANGED")
    with pytest.raises(SlipwayError) as raised:
        await features.client.features.apply([fresh, replace(PLANES, entities=("carrier",))])
    assert (raised.value.kind, raised.value.reason) == (Kind.FAILED_PRECONDITION, "ENTITIES_CHANGED")
    assert [view async for view in features.client.features.views()] == [first]


async def test_applies_at_the_same_time_all_count(features: Any) -> None:
    owners = [replace(PLANES, owner=f"team-{n}") for n in range(10)]
    answers = await asyncio.gather(*(features.client.features.apply([one]) for one in owners))
    assert sorted(view.revision for (view,) in answers) == list(range(1, 11))


async def test_without_the_online_store_the_catalogue_is_served(features: Any) -> None:
    state = await features.client.features.online_store()
    assert not state.reachable
    assert "nothing answers at its address" in state.reason
    assert len(await features.client.features.apply([PLANES])) == 1


async def test_the_online_store_is_told_of_while_it_lives(redis: Any, tmp_path: Path, serve: Any) -> None:
    async with serve(tmp_path / "data", f"redis://127.0.0.1:{redis.port}/0") as features:
        redis.send("SET", "a", "1")
        redis.send("SET", "b", "2")
        state = await features.client.features.online_store()
        assert (state.reachable, state.reason, state.keys) == (True, "", 2)
        assert state.server_version[0].isdigit()
        redis.stop()
        assert not (await features.client.features.online_store()).reachable
        redis.start()
        state = await features.client.features.online_store()
        assert (state.reachable, state.keys) == (True, 0)


async def test_a_password_comes_from_its_file(tmp_path: Path, serve: Any, redis_server: Any) -> None:
    redis = redis_server(tmp_path, password="swordfish")
    redis.start()
    secret = tmp_path / "password"
    secret.write_text("swordfish\n")
    url = f"redis://127.0.0.1:{redis.port}/0"
    try:
        async with serve(tmp_path / "with", url, redis_password_file=secret) as features:
            assert (await features.client.features.online_store()).reachable
        async with serve(tmp_path / "without", url) as features:
            assert "refuses the user or the password" in (await features.client.features.online_store()).reason
    finally:
        redis.stop()


async def test_a_store_that_says_nothing_is_given_up(tmp_path: Path, serve: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        async with serve(tmp_path, f"redis://127.0.0.1:{silent.getsockname()[1]}/0") as features:
            state = await features.client.features.online_store()
    assert (state.reachable, state.reason) == (False, "it did not answer within 1 s")


async def test_pages_are_followed_by_their_token(features: Any) -> None:
    await features.client.features.apply([replace(PLANES, name=f"v{n}") for n in range(5)])
    seen: list[str] = []
    request = pb.ListFeatureViewsRequest(page_size=2)
    async with grpc.aio.insecure_channel(features.address) as channel:
        call = channel.unary_unary(
            "/slipway.features.v1.FeatureStoreService/ListFeatureViews",
            pb.ListFeatureViewsRequest.SerializeToString,
            pb.ListFeatureViewsResponse.FromString,
        )
        for size in (2, 2, 1):
            page = await call(request, timeout=30)
            assert len(page.views) == size
            seen += [view.name for view in page.views]
            request.page_token = page.next_page_token
    assert (seen, request.page_token) == ([f"v{n}" for n in range(5)], "")


@pytest.mark.parametrize("method", ["ApplyFeatureViews", "GetFeatureView", "ListFeatureViews", "GetOnlineStore"])
async def test_junk_bytes_are_an_invalid_argument(features: Any, method: str) -> None:
    error = await features.refused(method, b"\xff\xff\xff")
    assert (error.kind, error.reason) == (Kind.INVALID_ARGUMENT, "MALFORMED_MESSAGE")


def one(**changes: Any) -> pb.ApplyFeatureViewsRequest:
    seats = res.Feature(name="seats", type=res.VALUE_TYPE_INT32)
    given: dict[str, Any] = {"name": "planes", "owner": "fleet", "entities": ["tailnum"], "features": [seats]}
    return pb.ApplyFeatureViewsRequest(views=[res.FeatureView(**{**given, **changes})])


@pytest.mark.parametrize(
    ("method", "request_", "field_"),
    [
        ("ApplyFeatureViews", pb.ApplyFeatureViewsRequest(), "views"),
        ("ApplyFeatureViews", one(name="No Such!"), "views[0].name"),
        ("ApplyFeatureViews", one(owner=""), "views[0].owner"),
        ("ApplyFeatureViews", one(entities=[]), "views[0].entities"),
        ("ApplyFeatureViews", one(features=[]), "views[0].features"),
        ("ApplyFeatureViews", one(features=[res.Feature(name="seats")]), "views[0].features[0].type"),
        ("ApplyFeatureViews", one(features=[{"name": "s", "type": 99}]), "views[0].features[0].type"),
        ("ApplyFeatureViews", one(max_age={"seconds": -1}), "views[0].max_age"),
        ("ApplyFeatureViews", one(max_age={}), "views[0].max_age"),
        ("ApplyFeatureViews", one(max_age={"seconds": 2**62}), "views[0].max_age"),
        ("GetFeatureView", pb.GetFeatureViewRequest(), "name"),
        ("GetFeatureView", pb.GetFeatureViewRequest(name="../x"), "name"),
        ("ListFeatureViews", pb.ListFeatureViewsRequest(page_size=501), "page_size"),
        ("ListFeatureViews", pb.ListFeatureViewsRequest(page_token="junk"), "page_token"),
        ("ListFeatureViews", pb.ListFeatureViewsRequest(page_token="WzFd"), "page_token"),
    ],
)
async def test_bad_input_names_its_field(features: Any, method: str, request_: Message, field_: str) -> None:
    error = await features.refused(method, request_)
    assert error.kind is Kind.INVALID_ARGUMENT
    assert [one.field for one in error.violations] == [field_]


async def test_an_unknown_view_is_not_found(features: Any) -> None:
    error = await features.refused("GetFeatureView", pb.GetFeatureViewRequest(name="missing"))
    assert (error.kind, error.reason, error.facts) == (Kind.NOT_FOUND, "FEATURE_VIEW_NOT_FOUND", {"view": "missing"})


DEFINITIONS = """
[[views]]
name = "planes"
owner = "fleet"
entities = ["tailnum"]
max_age_s = 60
[[views.features]]
name = "seats"
type = "int32"
"""


async def test_the_operator_applies_a_file_and_sees_what_it_holds(features: Any, tmp_path: Path) -> None:
    file = tmp_path / "planes.toml"
    file.write_text(DEFINITIONS)
    assert (await features.run("views")).output.startswith("no feature views yet")
    (applied,) = json.loads((await features.run("apply", str(file), "--json")).output)
    assert (applied["name"], applied["revision"], applied["max_age_s"]) == ("planes", 1, 60)
    assert json.loads((await features.run("views", "--json")).output) == [applied]
    view = json.loads((await features.run("view", "planes", "--json")).output)
    assert view["features"] == [{"name": "seats", "type": "int32", "description": ""}]
    store = json.loads((await features.run("store", "--json")).output)
    assert not store["reachable"]
    assert (await features.run("view", "missing")).exit_code == 3


async def test_the_operator_is_told_file_view_and_field(features: Any, tmp_path: Path) -> None:
    file = tmp_path / "planes.toml"
    file.write_text(DEFINITIONS.replace('"seats"', '"tailnum"'))
    refused = await features.run("apply", str(file))
    assert refused.exit_code == 2
    assert "planes.toml: views[0] (planes).features[0].name: is an entity of the view" in refused.output
    file.write_text(DEFINITIONS)
    assert (await features.run("apply", str(file))).exit_code == 0
    file.write_text(DEFINITIONS.replace("int32", "string"))
    refused = await features.run("apply", str(file))
    assert refused.exit_code == 1
    assert "planes.toml: feature 'seats' of view 'planes' is INT32 and can't become STRING" in refused.output
