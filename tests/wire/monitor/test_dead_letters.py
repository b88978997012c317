from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import grpc.aio

from slipway.client import DeadLetter
from slipway.gen.slipway.monitor.v1 import monitor_pb2 as pb

TOPIC = "inference.predictions.v1"
NOON = datetime(2013, 6, 1, 12, tzinfo=UTC)


async def test_what_could_not_be_handled_is_listed_with_the_reason(poisoned: Any) -> None:
    junk, uneven = [one async for one in poisoned.client.monitor.dead_letters()]
    assert "2 bytes are not a slipway.inference.v1.PredictionBatch" in junk.error
    assert replace(junk, error="") == DeadLetter("junk", TOPIC, 0, 1, "flight-delay", NOON, "", 2, None)
    assert "input_digests: has 2 values" in uneven.error
    assert (uneven.event_id, uneven.offset, uneven.value) == ("uneven", 2, None)


async def test_values_come_when_asked_for(poisoned: Any) -> None:
    junk, uneven = [one async for one in poisoned.client.monitor.dead_letters(include_value=True)]
    assert junk.value == b"\xff\xff"
    assert uneven.value == poisoned.batch(NOON, input_digests=[b"", b""])
    assert uneven.size_bytes == len(uneven.value)


async def test_without_a_poison_event_there_are_no_dead_letters(monitor: Any) -> None:
    await monitor.publisher.publish([monitor.event("e1", monitor.batch(NOON))])
    await monitor.until(1)
    assert [one async for one in monitor.client.monitor.dead_letters()] == []


async def test_pages_are_followed_by_their_token(poisoned: Any) -> None:
    request, seen = pb.ListDeadLettersRequest(page_size=1), []
    async with grpc.aio.insecure_channel(poisoned.address) as channel:
        call = channel.unary_unary(
            "/slipway.monitor.v1.MonitorService/ListDeadLetters",
            request_serializer=pb.ListDeadLettersRequest.SerializeToString,
            response_deserializer=pb.ListDeadLettersResponse.FromString,
        )
        for _ in range(2):
            page = await call(request, timeout=30)
            seen += [one.event_id for one in page.dead_letters]
            request.page_token = page.next_page_token
    assert (seen, request.page_token) == (["junk", "uneven"], "")
