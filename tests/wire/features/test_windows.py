"""Windowed views from the outside: events in, values of passed boundaries out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from slipway.client import Aggregation, AggregationFunction, Feature, FeatureStatus, FeatureView, ValueType
from slipway.errors import SlipwayError
from slipway.events import Event, dead_letter_topic
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

    async def reached() -> bool:
        found = [one async for one in online.client.features.watermarks()]
        return any(one.view == "delays" and one.event_time >= at(hours) for one in found)

    await online.eventually(reached)


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
    keys, delays = [{"origin": "JFK"}] * 2, [{"delay": 2}, {"delay": 3.5}]
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
