"""Requests that come by events, and the responses to them, on the embedded log and on Kafka."""

from __future__ import annotations

import asyncio
import itertools
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from slipway.errors import Unavailable
from slipway.events import Event, EventLog, Record, dead_letter_topic
from slipway.events.connect import open_log
from slipway.failpoints import arming
from slipway.gen.slipway.inference.v1 import events_pb2 as pb
from slipway.gen.slipway.inference.v1 import inference_pb2
from tests.prediction_log import batches

REQUESTS, RESPONSES = "inference.requests.v1", "inference.responses.v1"
LETTERS = dead_letter_topic(REQUESTS, "inference_gateway")
NOON = datetime(2013, 6, 1, 12, tzinfo=UTC)
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
PATIENCE_S = 30.0


@pytest.fixture(params=["sqlite", "kafka"])
def bus(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return request.getfixturevalue("kafka_url") if request.param == "kafka" else f"sqlite:///{tmp_path}/bus/log.db"


@pytest.fixture
def other(world: Any, tmp_path: Path, onnx_models: ModuleType) -> Any:
    """Another gateway's world, which has no registry of its own."""
    return type(world)(tmp_path / "other", onnx_models)


def asking(name: str, key: str, *distances: float, endpoint: str = "late", **changes: Any) -> Event:
    """A request for rows that differ by their distance alone."""
    count = len(distances)
    columns = [
        {"name": "distance", "doubles": {"values": distances}},
        {"name": "carrier", "strings": {"values": changes.pop("carriers", ["UA"] * count)}},
        {"name": "stops", "int64s": {"values": [2] * count}},
    ]
    asked = inference_pb2.PredictRequest(endpoint=endpoint, features=columns, **changes.pop("request", {}))
    value = pb.PredictionRequested(request=asked, reply_key=changes.pop("reply_key", "")).SerializeToString()
    return sent(name, key, value, **changes)


def sent(name: str, key: str, value: bytes, **headers: str) -> Event:
    return Event(name, REQUESTS, key, "com.example.asked", "/test", NOON, value, headers)


async def held(log: EventLog, topic: str) -> list[Record]:
    """All that a topic holds, each key in its order; nothing while Kafka still makes it."""
    with suppress(Unavailable):
        places = await log.topics([topic])
        return [one for info in places for one in await log.read(topic, partition=info.partition, limit=10_000)]
    return []


async def arrived(log: EventLog, topic: str, count: int) -> list[Record]:
    """What a topic holds, once there are so many."""
    async with asyncio.timeout(PATIENCE_S):
        while len(found := await held(log, topic)) < count:
            await asyncio.sleep(0.02)
    return found


def outcome(record: Record) -> pb.PredictionAnswered:
    return pb.PredictionAnswered.FromString(record.event.value)


async def test_each_request_gets_its_answer_or_its_error_in_the_order_of_its_key(world: Any, bus: str) -> None:
    await world.stop_gateway()
    await world.start_gateway(events_url=bus)
    await world.standing("late")
    good = [asking(f"r{number}", f"k{number % 5}", float(number), -1.0) for number in range(60)]
    many = {"carriers": ["x" * 150] * 4096}
    others = [
        asking("nowhere", "k0", 1.0, endpoint="nowhere"),
        asking("lacking", "k1", 1.0, carriers=[]),
        sent("junk", "k2", b"\xff"),
        asking("large", "k3", *[1.0] * 4096, **many),
        asking("elsewhere", "k4", 1.0, reply_key="mine", traceparent=TRACE),
        sent("empty", "k0", b""),
    ]
    async with open_log(bus) as log:
        await log.publisher().publish([*good[:30], *others, *good[30:]])
        records = await arrived(log, RESPONSES, len(good) + len(others) - 1)
        letters = await arrived(log, LETTERS, 1)
    by_key: dict[str, list[str]] = defaultdict(list)
    told = {}
    for record in records:
        one = outcome(record)
        by_key[record.event.key].append(one.request_id)
        told[one.request_id] = one
        assert record.event.id == f"{one.request_id}/response"
    wanted: dict[str, list[str]] = defaultdict(list)
    for event in [*good[:30], *others, *good[30:]]:
        if event.id != "junk":
            wanted["mine" if event.id == "elsewhere" else event.key].append(event.id)
    assert by_key == wanted
    for number, event in enumerate(good):
        rows = told[event.id].response.predictions
        assert [row.outputs[0].values[0] for row in rows] == [number, -1.0]
    assert [(one.event.id, one.event.headers["dlq-group"]) for one in letters] == [("junk", "inference_gateway")]
    errors = {name: told[name].error for name in ("nowhere", "lacking", "empty", "large")}
    reasons = ["ENDPOINT_NOT_FOUND", "INVALID_FIELD", "INVALID_FIELD", "RESPONSE_TOO_LARGE"]
    assert [one.reason for one in errors.values()] == reasons
    assert [one.field for one in errors["lacking"].field_violations] == ["features[carrier]"]
    assert int(errors["large"].facts["size_bytes"]) > int(errors["large"].facts["limit_bytes"])
    [elsewhere] = [record.event for record in records if outcome(record).request_id == "elsewhere"]
    assert elsewhere.headers["traceparent"] == TRACE


async def test_what_was_answered_and_not_committed_is_answered_again_alike(world: Any, bus: str) -> None:
    await world.stop_gateway()
    await world.start_gateway(events_url=bus)
    await world.standing("late")
    own = asking("own", "k0", 7.0, request={"prediction_ids": ["mine"]})
    events = [own, *(asking(f"r{number}", f"k{number % 3}", float(number)) for number in range(9))]
    async with open_log(bus) as log:
        with arming("events.commit.before=error"):
            await log.publisher().publish(events)
            first = {one.event.id: outcome(one) for one in await arrived(log, RESPONSES, len(events))}
            await world.stop_gateway()
        assert await log.committed([REQUESTS], "inference_gateway") == {}
        await world.start_gateway(events_url=bus)
        async with asyncio.timeout(PATIENCE_S):
            while sum((await log.committed([REQUESTS], "inference_gateway")).values()) < len(events):
                await asyncio.sleep(0.02)
        await world.stop_gateway()
        every = await held(log, RESPONSES)
        # The embedded log drops what comes again under its id; on Kafka it is there twice.
        assert len(every) in {len(events), 2 * len(events)}
        for record in every:
            again = outcome(record)
            for row in again.response.predictions:
                row.replayed = False
            assert again == first[record.event.id]
        # A batch may be shipped again under its id, as anything may.
        shipped = {one.event.id: one.event.value for one in await held(log, "inference.predictions.v1")}
    rows = [row for batch in batches(shipped.values()) for row in batch.prediction_ids]
    assert len(rows) == len(set(rows)) == len(events)
    assert "mine" in rows


async def test_two_gateways_share_the_requests(
    world: Any, other: Any, kafka_url: str, eventually: Callable[[Callable[[], Awaitable[bool]]], Awaitable[None]]
) -> None:
    await world.stop_gateway()
    other.registry_address = world.registry_address
    for one in (world, other):
        await one.start_gateway(events_url=f"{kafka_url}&session_s=2")
    await world.standing("late")
    await other.ready("late", 1)
    keys, count = itertools.cycle(f"k{number}" for number in range(8)), itertools.count()
    async with open_log(kafka_url) as log:

        async def both_answer() -> bool:
            await log.publisher().publish([asking(f"r{next(count)}", next(keys), 1.0) for _ in range(8)])
            answers = [outcome(one) for one in await held(log, RESPONSES)]
            return len({one.gateway_id for one in answers}) == 2

        await eventually(both_answer)
        # What one of them had not committed when it let a partition go is answered by the other, too, under its id.
        await other.stop_gateway()
        asked = {f"r{number}" for number in range(next(count))}

        async def all_are_answered() -> bool:
            return {outcome(one).request_id for one in await held(log, RESPONSES)} == asked

        await eventually(all_are_answered)


async def test_a_request_waits_for_its_endpoint_for_so_long_and_then_is_told_why_in_vain(world: Any) -> None:
    await world.stop_gateway()
    await world.start_gateway(requests={"patience_s": 0.2})
    await world.standing("late")
    broken = await world.register(model="broken", artifact=b"no model")
    await world.route("waiting", ("main", broken, 1), model="broken")
    await world.until("waiting", lambda arms: bool(arms and arms[0].reason))
    async with open_log(world.events) as log:
        await log.publisher().publish([asking("in-vain", "k", 1.0, endpoint="waiting"), asking("good", "k", 1.0)])
        in_vain, good = [outcome(one) for one in await arrived(log, RESPONSES, 2)]
    assert (in_vain.error.reason, in_vain.error.code) == ("ENDPOINT_NOT_READY", 14)
    assert in_vain.error.retry_after_s > 0
    assert len(good.response.predictions) == 1


async def test_requests_wait_on_a_bus_that_is_away_and_for_whoever_is_to_answer_them(world: Any) -> None:
    await world.stop_gateway()
    place = world.folder / "away"
    place.write_text("no folder")
    bus = f"sqlite:///{place}/log.db"
    await world.start_gateway(events_url=bus)
    await world.standing("late")
    place.unlink()
    async with open_log(bus) as log:
        await log.publisher().publish([asking("first", "k", 1.0)])
        [record] = await arrived(log, RESPONSES, 1)
        assert outcome(record).request_id == "first"
        await world.stop_gateway()
        await world.start_gateway(events_url=bus, requests={"enabled": False})
        await log.publisher().publish([asking("second", "k", 1.0)])
        await world.client.inference.predict("late", [world.row])
        assert len(await held(log, RESPONSES)) == 1
