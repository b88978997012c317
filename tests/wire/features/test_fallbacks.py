"""What a feature reads as where it has no value, over a real Redis."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from slipway.client import Feature, FeatureStatus, FeatureView, ValueType
from slipway.errors import InvalidInput
from slipway.gen.slipway.features.v1 import features_pb2 as pb
from slipway.gen.slipway.features.v1 import resources_pb2 as res

NOON = datetime(2013, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
PRESENT, NULL, MISSING, OLD, FALLBACK = (
    FeatureStatus.PRESENT,
    FeatureStatus.NULL_VALUE,
    FeatureStatus.NOT_FOUND,
    FeatureStatus.OUTSIDE_MAX_AGE,
    FeatureStatus.FALLBACK,
)
PORTS = FeatureView(
    "ports",
    "network",
    ("port",),
    (
        Feature("plain", ValueType.INT64),
        Feature("usual", ValueType.INT64, fallback=7),
        Feature("nulls", ValueType.DOUBLE, fallback=0.5, fallback_for=(NULL,)),
        Feature("all", ValueType.STRING, fallback="none", fallback_for=(NULL, MISSING, OLD)),
        Feature("single", ValueType.FLOAT, fallback=0.1),
        Feature("truth", ValueType.BOOL, fallback=False),
        Feature("built", ValueType.TIMESTAMP, fallback=datetime(1999, 1, 1, tzinfo=UTC)),
    ),
    max_age=HOUR,
)
ASKED = tuple(f"ports:{one.name}" for one in PORTS.features)
GIVEN: dict[str, Any] = {"plain": 1, "usual": 2, "nulls": 3.0, "all": "x", "single": 0.1, "truth": True, "built": NOON}


@pytest.fixture
async def ports(online: Any) -> Any:
    await online.client.features.apply([PORTS])
    await online.client.features.push(
        "ports",
        [{"port": "JFK"}, {"port": "old"}, {"port": "null"}],
        [GIVEN, GIVEN, dict.fromkeys(GIVEN)],
        [NOON, NOON - 2 * HOUR, NOON],
    )
    return online


async def test_it_is_answered_in_place_of_what_its_definition_names_and_marked(ports: Any) -> None:
    rows = [{"port": one} for one in ("JFK", "old", "null", "nowhere", None)]
    found = await ports.client.features.get_online(list(ASKED), rows, event_times=NOON)
    assert {name: column.statuses for name, column in found.columns.items()} == {
        "ports:plain": (PRESENT, OLD, NULL, MISSING, MISSING),
        "ports:usual": (PRESENT, FALLBACK, NULL, FALLBACK, FALLBACK),
        "ports:nulls": (PRESENT, OLD, FALLBACK, MISSING, MISSING),
        "ports:all": (PRESENT, FALLBACK, FALLBACK, FALLBACK, FALLBACK),
        **dict.fromkeys(("ports:single", "ports:truth", "ports:built"), (PRESENT, FALLBACK, NULL, FALLBACK, FALLBACK)),
    }
    assert found["ports:usual"].values == (2, 7, None, 7, 7)
    assert found["ports:nulls"].values == (3.0, None, 0.5, None, None)
    assert found["ports:all"].values == ("x", "none", "none", "none", "none")
    # As a stored one reads: single precision is all that is kept.
    assert found["ports:single"].values[1] == found["ports:single"].values[0] != 0.1
    assert (found["ports:truth"].values[1], found["ports:built"].values[1]) == (False, datetime(1999, 1, 1, tzinfo=UTC))
    # Why it stands there can be told by the event time: that of what is too old, or none.
    assert found["ports:all"].event_times == (NOON, NOON - 2 * HOUR, NOON, None, None)
    assert [column.fallback for column in found.columns.values()][:4] == [None, 7, 0.5, "none"]


async def test_a_flushed_store_reads_as_fallbacks(ports: Any, redis: Any) -> None:
    redis.command("FLUSHALL")
    found = await ports.client.features.get_online(["ports:usual"], [{"port": "nowhere"}], event_times=NOON)
    assert (found["ports:usual"].values, found["ports:usual"].statuses) == ((7,), (FALLBACK,))


async def test_bytes_that_are_no_value_are_told_and_not_hidden(ports: Any, redis: Any) -> None:
    [key] = redis.command("KEYS", "*JFK*")
    for name, value in redis.hash(key).items():
        if value[:1] == b"\x12":
            redis.command("HSET", key, name, b"\xff\xff")
    found = await ports.client.features.get_online(["ports:all"], [{"port": "JFK"}], event_times=NOON)
    assert (found["ports:all"].values, found["ports:all"].statuses) == ((None,), (FeatureStatus.UNREADABLE,))


async def test_another_fallback_counts_at_once_and_none_gives_nulls_again(ports: Any) -> None:
    client = ports.client.features
    for revision, fallback in ((2, 8), (3, None)):
        features = (replace(PORTS.features[1], fallback=fallback),)
        [view] = await client.apply([replace(PORTS, features=(PORTS.features[0], *features, *PORTS.features[2:]))])
        assert (view.revision, view.features[1].fallback) == (revision, fallback)
        found = await client.get_online(["ports:usual"], [{"port": "nowhere"}], event_times=NOON)
        assert found["ports:usual"].values == (fallback,)
    assert found["ports:usual"].statuses == (MISSING,)


async def test_the_catalogue_and_the_command_show_it(ports: Any) -> None:
    stored = await ports.client.features.get_view("ports")
    assert stored.features[1].fallback_for == (MISSING, OLD)
    assert [view.revision for view in await ports.client.features.apply([PORTS])] == [1]
    [row] = [one for one in json.loads((await ports.run("views", "--json")).output) if one["name"] == "ports"]
    assert row["fallbacks"] == {
        "usual": 7,
        "nulls": 0.5,
        "all": "none",
        "single": 0.1,
        "truth": False,
        "built": "1999-01-01T00:00:00+00:00",
    }
    assert "usual 7" in (await ports.run("views")).output
    shown = json.loads((await ports.run("view", "ports", "--json")).output)["features"]
    assert shown[0] == {"name": "plain", "type": "int64", "description": ""}
    assert shown[2]["fallback_for"] == ["null_value"]
    told = await ports.run("get", "ports:usual", "ports:plain", "--key", "port=nowhere", "--json")
    assert [(one["value"], one["status"]) for one in json.loads(told.output)] == [(7, "fallback"), (None, "not_found")]


def one(**changes: Any) -> pb.ApplyFeatureViewsRequest:
    feature = {"name": "x", "type": res.VALUE_TYPE_INT32, **changes}
    return pb.ApplyFeatureViewsRequest(
        views=[res.FeatureView(name="v", owner="o", entities=["k"], features=[res.Feature(**feature)])]
    )


@pytest.mark.parametrize(
    ("request_", "field", "told"),
    [
        (one(fallback={"double_value": 1.0}), "fallback", "holds double_value, but the feature is INT32"),
        (one(fallback={}), "fallback", "holds no value, but the feature is INT32; give int64_value"),
        (one(fallback={"int64_value": 2**31}), "fallback", "2147483648 is beyond 32 bits"),
        (one(fallback_for=[res.FEATURE_STATUS_NOT_FOUND]), "fallback_for", "is given without a fallback"),
        (one(fallback={"int64_value": 1}, fallback_for=[3, 99]), "fallback_for[1]", "is not set or not known"),
        (one(fallback={"int64_value": 1}, fallback_for=[5]), "fallback_for", "names UNREADABLE; give NULL_VALUE"),
        (one(type=7, fallback={"timestamp_us": 1}), "fallback", "has a fraction of a second"),
    ],
)
async def test_a_wrong_one_is_refused_by_name(features: Any, request_: Any, field: str, told: str) -> None:
    error = await features.refused("ApplyFeatureViews", request_)
    [violation] = error.violations
    assert violation.field == f"views[0].features[0].{field}"
    assert told in violation.description


async def test_one_of_another_type_is_refused_before_it_is_sent(features: Any) -> None:
    wrong = replace(PORTS, features=(Feature("usual", ValueType.INT64, fallback="7"),))
    with pytest.raises(InvalidInput, match=r"features\[0\]\.fallback: is '7', but the feature is int64; give an int"):
        await features.client.features.apply([wrong])
