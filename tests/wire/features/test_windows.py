"""Windowed views from the outside: events in, values of passed boundaries out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from slipway.client import Aggregation, AggregationFunction, Feature, FeatureStatus, FeatureView, Source, ValueType
from slipway.errors import SlipwayError
from slipway.events import Event, dead_letter_topic
from slipway.events.sqlite import SqliteEventLog
from slipway.gen.slipway.features.v1 import events_pb2
from tests.wire.features.conftest import Served

TOPIC = "features.rows.v1"
HOUR = timedelta(hours=1)
START = datetime(2013, 1, 1, tzinfo=UTC)
FUNCTIONS = [one for one in AggregationFunction if one is not AggregationFunction.UNSPECIFIED]
DELAYS = FeatureView(
    name="delays",
    owner="network",
    entities=("origin",),
    entity_types=(ValueType.STRING,),
    features=(
        *(
            Feature(f"{one}_2h", ValueType.INT64 if one is AggregationFunction.COUNT else ValueType.DOUBLE)
            for one in FUNCTIONS
        ),
        Feature("taxi_sum_1h", ValueType.DOUBLE),
    ),
    aggregations=(
        *(Aggregation(f"{one}_2h", "delay", one, 2 * HOUR) for one in FUNCTIONS),
        Aggregation("taxi_sum_1h", "taxi", AggregationFunction.SUM, HOUR),
    ),
    hop=HOUR,
    max_age=HOUR,
)
NAMES = [f"delays:{one.name}" for one in DELAYS.features]


def at(hours: float) -> datetime:
    return START + hours * HOUR


def micros(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000


def event(number: int, rows: Sequence[tuple[str, float, float | None]], complete_until: float | None = None) -> Event:
    """Rows of origin, hours since the start and delay."""
    absent = [n for n, row in enumerate(rows) if row[2] is None]
    message = events_pb2.FeatureRows(
        view="delays",
        entities=[{"name": "origin", "strings": {"values": [row[0] for row in rows]}}],
        features=[{"name": "delay", "doubles": {"values": [row[2] or 0 for row in rows]}, "absent_rows": absent}],
        event_times_us=[micros(at(row[1])) for row in rows],
        complete_until_us=0 if complete_until is None else micros(at(complete_until)),
    )
    return Event(str(number), TOPIC, "delays", "t", "/test", START, message.SerializeToString())


async def settled(online: Served, hours: float) -> None:
    """Return when the view's watermark is there."""
    await online.client.features.await_watermarks(["delays"], at(hours))


async def values(online: Served, hours: float, origin: str = "JFK") -> dict[str, object]:
    found = await online.client.features.get_online(NAMES, [{"origin": origin}], event_times=at(hours))
    return {name.removeprefix("delays:"): value for name, value in next(found.rows()).items()}


async def test_values_change_when_event_time_passes_a_hop(online: Served) -> None:
    await online.client.features.apply([DELAYS])
    publisher = online.log.publisher()
    await publisher.publish([event(1, [("JFK", 0, 2.0), ("JFK", 0.5, 4.0), ("LGA", 0.5, None)], complete_until=0.9)])
    await settled(online, 0.9)
    found = await online.client.features.get_online(NAMES, [{"origin": "JFK"}], event_times=at(0.9))
    assert {one.statuses[0] for one in found.columns.values()} == {FeatureStatus.NOT_FOUND}
    # Not a row, but the word that the hour is over. What lies at its end is not in it.
    await publisher.publish([event(2, [("JFK", 1, 9.0)]), event(3, [], complete_until=1)])
    await settled(online, 1)
    assert await values(online, 1) == {
        "count_2h": 2,
        "sum_2h": 6.0,
        "mean_2h": 3.0,
        "min_2h": 2.0,
        "max_2h": 4.0,
        "stddev_2h": 1.0,
        "taxi_sum_1h": None,
    }
    # Nothing was there to count, which is known; a mean of it is not.
    assert (await values(online, 1, "LGA"))["count_2h"] == 0
    found = await online.client.features.get_online(NAMES, [{"origin": "LGA"}], event_times=at(1))
    assert found["delays:mean_2h"].statuses == (FeatureStatus.NULL_VALUE,)
    await publisher.publish([event(4, [], complete_until=2)])
    await settled(online, 2)
    assert (await values(online, 2))["sum_2h"] == 15.0
    await publisher.publish([event(5, [], complete_until=3)])
    await settled(online, 3)
    assert (await values(online, 3))["sum_2h"] == 9.0
    # An entity that fell empty has a count of 0.
    await publisher.publish([event(6, [], complete_until=4)])
    await settled(online, 4)
    assert (await values(online, 4)) == {**dict.fromkeys(await values(online, 4)), "count_2h": 0}


async def test_what_did_not_change_is_as_new_as_its_view(online: Served) -> None:
    await online.client.features.apply([DELAYS])
    await online.log.publisher().publish([event(1, [("JFK", 0.5, 2.0)]), event(2, [], complete_until=1)])
    await settled(online, 1)
    await online.log.publisher().publish([event(3, [("LGA", 1.5, 2.0)]), event(4, [], complete_until=2)])
    await settled(online, 2)
    found = await online.client.features.get_online(NAMES, [{"origin": "JFK"}], event_times=at(2.9))
    assert found["delays:sum_2h"].statuses == (FeatureStatus.PRESENT,)
    assert found["delays:sum_2h"].event_times == (at(2),)
    found = await online.client.features.get_online(NAMES, [{"origin": "JFK"}], event_times=at(3.1))
    assert found["delays:sum_2h"].statuses == (FeatureStatus.OUTSIDE_MAX_AGE,)


async def test_an_event_counts_once_and_a_late_one_from_then_on(online: Served) -> None:
    await online.client.features.apply([DELAYS])
    publisher = online.log.publisher()
    first = event(1, [("JFK", 0.5, 2.0)], complete_until=1)
    await publisher.publish([first])
    await settled(online, 1)
    # A broker forgets ids in time; the embedded log, as soon as it is trimmed.
    assert isinstance(online.log, SqliteEventLog)
    await online.log.trim(TOPIC, before_offset=1)
    await publisher.publish([first, event(2, [("JFK", 0.2, 8.0)], complete_until=1)])

    async def late() -> bool:
        return (await online.client.features.watermark("delays")).late_rows == 1

    await online.eventually(late)
    assert (await values(online, 1))["sum_2h"] == 2.0
    await publisher.publish([event(3, [], complete_until=2)])
    await settled(online, 2)
    assert (await values(online, 2))["sum_2h"] == 10.0


async def test_pushed_events_count_once_a_call(online: Served) -> None:
    await online.client.features.apply([DELAYS])
    features = online.client.features
    keys = [{"origin": "JFK"}] * 2
    delays: list[dict[str, float]] = [{"delay": 2}, {"delay": 3.5}]
    pushed = await features.push("delays", keys, delays, [at(0.2), at(0.4)], complete_until=at(1))
    assert (pushed.applied, pushed.late) == (2, 0)
    assert (await values(online, 1))["sum_2h"] == 5.5
    again = await features.push("delays", keys, delays, [at(0.2), at(0.4)], complete_until=at(1))
    assert (again.applied, again.late) == (0, 2)
    await features.push("delays", [], [], [], complete_until=at(2))
    assert (await values(online, 2))["sum_2h"] == 5.5
    assert (await features.watermark("delays")).event_time == at(2)


async def test_junk_is_set_aside_and_holds_up_nothing(online: Served) -> None:
    await online.client.features.apply([DELAYS])
    unknown = events_pb2.FeatureRows(
        view="delays",
        entities=[{"name": "origin", "strings": {"values": ["JFK"]}}],
        features=[{"name": "sum_2h", "doubles": {"values": [1]}}],
        event_times_us=[micros(at(0.5))],
    )
    mistyped = events_pb2.FeatureRows(
        view="delays",
        entities=[{"name": "origin", "int64s": {"values": [7]}}],
        features=[{"name": "delay", "doubles": {"values": [1]}}],
        event_times_us=[micros(at(0.5))],
    )
    text = events_pb2.FeatureRows(
        view="delays",
        entities=[{"name": "origin", "strings": {"values": ["JFK"]}}],
        features=[{"name": "delay", "strings": {"values": ["late"]}}],
        event_times_us=[micros(at(0.5))],
    )
    junk = [
        Event(f"junk-{n}", TOPIC, "delays", "t", "/test", START, value)
        for n, value in enumerate(
            [unknown.SerializeToString(), mistyped.SerializeToString(), text.SerializeToString(), b"\xff"]
        )
    ]
    await online.log.publisher().publish([*junk, event(1, [("JFK", 0.5, float("inf"))]), event(2, [("JFK", 0.5, 1.0)])])
    await online.log.publisher().publish([event(3, [], complete_until=1)])
    await settled(online, 1)
    assert (await values(online, 1))["sum_2h"] == 1.0
    letters = await online.log.read(dead_letter_topic(TOPIC, "feature_serving"))
    told = [one.event.headers["dlq-error"] for one in letters]
    assert [one.event.id for one in letters] == ["junk-0", "junk-1", "junk-2", "junk-3", "1"]
    assert "'sum_2h' is no column that view 'delays' aggregates; give delay, taxi" in told[0]
    assert "is STRING" in told[1]
    with pytest.raises(SlipwayError, match=r"rows\.features\[0\]"):
        await online.client.features.push("delays", [{"origin": "JFK"}], [{"delay": "late"}], at(0.5))


async def test_nan_is_no_value_and_a_long_jump_ends_at_its_last_boundary(online: Served) -> None:
    await online.client.features.apply([DELAYS])
    rows = [("JFK", float(hours), 1.0) for hours in range(100)] + [("JFK", 99.5, float("nan"))]
    await online.log.publisher().publish([event(1, rows, complete_until=100.5)])
    await settled(online, 100.5)
    found = await online.client.features.get_online(NAMES, [{"origin": "JFK"}], event_times=at(100.6))
    assert found["delays:count_2h"].values == (2,)
    assert found["delays:count_2h"].event_times == (at(100),)


LINES = """
{"origin": "JFK", "delay": 2, "event_time": "2013-01-01T00:10:00Z"}
{"origin": "JFK", "delay": 4.5, "taxi": 7, "event_time": "2013-01-01T00:40:00Z"}
"""
FILE = """
[[views]]
name = "delays"
owner = "network"
entities = ["origin"]
entity_types = ["string"]
hop_s = 3600
features = [{ name = "sum_2h", type = "double" }, { name = "taxi_1h", type = "double" }]
source = { path = "landings.parquet", event_time_column = "known_at" }
aggregations = [
  { feature = "sum_2h", column = "delay", function = "sum", window_s = 7200 },
  { feature = "taxi_1h", column = "taxi", function = "max", window_s = 3600 },
]
"""


async def test_the_command_line_defines_and_feeds_a_windowed_view(online: Served, tmp_path: Path) -> None:
    definitions, rows = tmp_path / "delays.toml", tmp_path / "rows.jsonl"
    definitions.write_text(FILE)
    rows.write_text(LINES)
    for arguments in (
        ("apply", str(definitions)),
        ("push", "delays", str(rows), "--complete-until", "2013-01-01T01:00:00Z"),
    ):
        done = await online.run(*arguments)
        assert done.exit_code == 0, done.output
    shown = await online.run("get", "delays:sum_2h", "delays:taxi_1h", "--key", "origin=JFK", "--json")
    assert [one["value"] for one in json.loads(shown.stdout)] == [6.5, 7.0]
    view = json.loads((await online.run("view", "delays", "--json")).stdout)
    assert view["hop_s"] == 3600
    assert view["aggregations"][1] == {"feature": "taxi_1h", "column": "taxi", "function": "max", "window": 3600}
    assert view["source"]["event_time_column"] == "known_at"


@pytest.mark.parametrize(
    ("change", "field", "told"),
    [
        ({"hop": None}, "views[0].hop", "is not set"),
        ({"hop": timedelta(minutes=7)}, "views[0].aggregations[0].window", "no whole multiple of the hop"),
        ({"hop": timedelta(milliseconds=500)}, "views[0].hop", "give whole seconds"),
        ({"aggregations": DELAYS.aggregations[1:]}, "views[0].features[0]", "has no aggregation"),
        ({"aggregations": (*DELAYS.aggregations, DELAYS.aggregations[0])}, "views[0].aggregations[7].feature", "twice"),
        ({"aggregations": ()}, "views[0].hop", "without aggregations"),
        ({"entity_types": (ValueType.DOUBLE,)}, "views[0].entity_types[0]", "STRING or INT64"),
        ({"entity_types": (ValueType.STRING,) * 2}, "views[0].entity_types", "2 entries for 1 entities"),
        ({"source": Source("landings", "", "at")}, "views[0].source.path", "is empty"),
        ({"source": Source("landings", "a.parquet", "")}, "views[0].source.event_time_column", "is empty"),
        (
            {"features": (replace(DELAYS.features[0], type=ValueType.DOUBLE), *DELAYS.features[1:])},
            "views[0].features[0].type",
            "COUNT makes INT64",
        ),
        (
            {"aggregations": (replace(DELAYS.aggregations[0], window=93 * 24 * HOUR), *DELAYS.aggregations[1:])},
            "views[0].aggregations[0].window",
            "at most 92 days",
        ),
        (
            {"aggregations": (replace(DELAYS.aggregations[0], column="origin"), *DELAYS.aggregations[1:])},
            "views[0].aggregations[0].column",
            "is an entity",
        ),
        (
            {"aggregations": (replace(DELAYS.aggregations[0], feature="other"), *DELAYS.aggregations[1:])},
            "views[0].aggregations[0].feature",
            "no feature of the view",
        ),
    ],
)
async def test_a_wrong_definition_is_refused_by_field(
    features: Served, change: dict[str, Any], field: str, told: str
) -> None:
    with pytest.raises(SlipwayError) as refused:
        await features.client.features.apply([replace(DELAYS, **change)])
    assert field in {one.field for one in refused.value.violations}
    assert told in next(one.description for one in refused.value.violations if one.field == field)


async def test_what_a_feature_is_made_of_stays(features: Served) -> None:
    apply = features.client.features.apply
    stored = (await apply([DELAYS]))[0]
    assert (stored.hop, stored.aggregations, stored.entity_types) == (HOUR, DELAYS.aggregations, DELAYS.entity_types)
    assert (await apply([DELAYS]))[0].revision == 1
    longer = replace(DELAYS.aggregations[0], window=3 * HOUR)
    for change in (
        {"aggregations": (longer, *DELAYS.aggregations[1:])},
        {"hop": HOUR / 2},
        {"aggregations": (), "hop": None},
    ):
        with pytest.raises(SlipwayError, match="can't become") as refused:
            await apply([replace(DELAYS, **change)])
        assert refused.value.reason == "AGGREGATION_CHANGED"


async def test_a_new_feature_is_made_from_the_events_that_are_kept(online: Served) -> None:
    await online.client.features.apply([DELAYS])
    await online.log.publisher().publish([event(1, [("JFK", 0.5, 2.0)], complete_until=1)])
    await settled(online, 1)
    grown = replace(
        DELAYS,
        features=(*DELAYS.features, Feature("sum_1h", ValueType.DOUBLE)),
        aggregations=(*DELAYS.aggregations, Aggregation("sum_1h", "delay", AggregationFunction.SUM, 2 * HOUR)),
    )
    await online.client.features.apply([grown])
    await online.log.publisher().publish([event(2, [], complete_until=2)])
    await settled(online, 2)
    found = await online.client.features.get_online(["delays:sum_1h"], [{"origin": "JFK"}], event_times=at(2))
    assert found["delays:sum_1h"].values == (2.0,)
