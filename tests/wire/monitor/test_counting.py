from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import grpc.aio

from slipway.client import VersionCount
from slipway.events import dead_letter_topic
from slipway.events.connect import open_log
from slipway.gen.slipway.monitor.v1 import monitor_pb2 as pb

TOPIC = "inference.predictions.v1"
NOON = datetime(2013, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


async def test_predictions_are_counted_by_window_of_event_time(monitor: Any) -> None:
    await monitor.publisher.publish(
        [
            monitor.event("e1", monitor.batch(NOON, NOON + HOUR / 2, NOON + HOUR)),
            monitor.event("e2", monitor.batch(NOON - HOUR, version=4, route="canary")),
        ]
    )
    await monitor.until(4)
    windows = [one async for one in monitor.client.monitor.windows()]
    assert [(one.start_time, one.version, one.route, one.predictions) for one in windows] == [
        (NOON - HOUR, 4, "canary", 1),
        (NOON, 3, "main", 2),
        (NOON + HOUR, 3, "main", 1),
    ]
    assert {one.end_time - one.start_time for one in windows} == {HOUR}
    count = await monitor.client.monitor.count("flight-delay", start=NOON, end=NOON + HOUR)
    assert (count.predictions, count.versions) == (2, (VersionCount("flights", 3, 2),))


async def test_an_event_that_comes_again_counts_once_and_junk_stands_in_nobodys_way(monitor: Any) -> None:
    good = monitor.event("e1", monitor.batch(NOON))
    uneven = monitor.event("uneven", monitor.batch(NOON, input_digests=[b"", b""]))
    await monitor.publisher.publish(
        [good, monitor.event("junk", b"\xff\xff"), uneven, good, monitor.event("e2", monitor.batch(NOON))]
    )
    await monitor.publisher.publish([good])
    await monitor.until(2)

    async def set_aside() -> bool:
        async with open_log(monitor.config.events) as log:
            letters = await log.read(dead_letter_topic(TOPIC, "monitor"))
        return [letter.event.id for letter in letters] == ["junk", "uneven"]

    await monitor.eventually(set_aside)
    assert (await monitor.client.monitor.count("flight-delay")).predictions == 2


async def test_an_endpoint_that_was_never_seen_has_no_predictions(monitor: Any) -> None:
    count = await monitor.client.monitor.count("never-seen")
    assert (count.predictions, count.versions) == (0, ())
    assert [one async for one in monitor.client.monitor.windows("never-seen")] == []


async def test_pages_are_followed_by_their_token(monitor: Any) -> None:
    hours = [NOON + HOUR * n for n in range(7)]
    await monitor.publisher.publish([monitor.event("e1", monitor.batch(*hours))])
    await monitor.until(7)
    seen: list[datetime] = []
    request = pb.ListPredictionWindowsRequest(page_size=3)
    async with grpc.aio.insecure_channel(monitor.address) as channel:
        call = channel.unary_unary(
            "/slipway.monitor.v1.MonitorService/ListPredictionWindows",
            request_serializer=pb.ListPredictionWindowsRequest.SerializeToString,
            response_deserializer=pb.ListPredictionWindowsResponse.FromString,
        )
        for size in (3, 3, 1):
            page = await call(request, timeout=30)
            assert len(page.windows) == size
            seen += [one.start_time.ToDatetime(tzinfo=UTC) for one in page.windows]
            request.page_token = page.next_page_token
    assert seen == hours
    assert request.page_token == ""
