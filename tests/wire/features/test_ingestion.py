from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from slipway.events import Event, dead_letter_topic
from slipway.gen.slipway.features.v1 import events_pb2 as pb

TOPIC = "features.rows.v1"
NOON = datetime(2013, 6, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def us(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000


def rows(*seats: int, at: datetime = NOON, **changes: Any) -> bytes:
    given: dict[str, Any] = {
        "view": "planes",
        "entities": [{"name": "tailnum", "strings": {"values": [f"N{n}" for n in range(len(seats))]}}],
        "features": [{"name": "seats", "int64s": {"values": seats}}],
        "event_times_us": [us(at)] * len(seats),
    }
    return pb.FeatureRows(**{**given, **changes}).SerializeToString()


async def publish(served: Any, **values: bytes) -> None:
    await served.log.publisher().publish(
        [
            Event(event_id, TOPIC, "planes", "slipway.features.rows", "/test", NOON, value)
            for event_id, value in values.items()
        ]
    )


async def reached(served: Any, moment: datetime) -> None:
    await served.client.features.await_watermarks(["planes"], moment)


async def seats(served: Any, count: int) -> tuple[Any, ...]:
    asked = [{"tailnum": f"N{n}"} for n in range(count)]
    values: tuple[Any, ...] = (await served.client.features.get_online(["planes:seats"], asked, event_times=NOON))[
        "planes:seats"
    ].values
    return values


async def test_published_rows_are_there_when_the_watermark_says_so(online: Any) -> None:
    await publish(online, a=rows(1, 2), b=rows(3, at=NOON + MINUTE))
    await reached(online, NOON + MINUTE)
    assert await seats(online, 3) == (3, 2, None)


async def test_repeated_and_late_events_change_nothing(online: Any) -> None:
    late = rows(9, 9, at=NOON - MINUTE)
    await publish(
        online, a=rows(1, 2), b=rows(3, at=NOON + MINUTE), a2=rows(1, 2), late=late, b2=rows(3, at=NOON + MINUTE)
    )
    await publish(online, end=rows(complete_until_us=us(NOON + 2 * MINUTE)))
    await reached(online, NOON + 2 * MINUTE)
    assert await seats(online, 2) == (3, 2)


async def test_an_event_without_rows_says_that_there_were_none(online: Any) -> None:
    await publish(online, a=rows(complete_until_us=us(NOON)), b=rows(complete_until_us=us(NOON - MINUTE)), c=rows(1))
    await reached(online, NOON)
    assert (await online.client.features.watermark("planes")).event_time == NOON


async def test_what_can_not_be_applied_is_set_aside_with_the_reason(online: Any) -> None:
    await publish(
        online,
        junk=b"\xff\xff",
        unknown=rows(1, view="none"),
        wrong=rows(1, features=[{"name": "seats", "strings": {"values": ["x"]}}]),
        alone=rows(1, entities=[]),
        empty=rows(),
        good=rows(7, at=NOON + MINUTE),
    )
    await reached(online, NOON + MINUTE)
    assert await seats(online, 1) == (7,)
    letters = await online.log.read(dead_letter_topic(TOPIC, "feature_serving"))
    told = {one.event.id: one.event.headers["dlq-error"] for one in letters}
    assert [error.split(":")[0] for error in told.values()] == [
        "value",
        "rows.view",
        "rows.features[0]",
        "rows.entities",
        "rows.event_times_us",
    ]
    assert "there is no feature view 'none'" in list(told.values())[1]


async def test_ingestion_waits_for_the_online_store(online: Any, redis: Any) -> None:
    redis.stop()
    await publish(online, a=rows(1, 2))

    async def tried() -> bool:
        return not (await online.client.features.online_store()).reachable

    await online.eventually(tried)
    redis.start()
    await reached(online, NOON)
    assert await seats(online, 2) == (1, 2)
    assert await online.log.read(dead_letter_topic(TOPIC, "feature_serving")) == []
