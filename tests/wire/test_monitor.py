"""The monitor over a loopback channel, composed as its main does: real SQLite files, the real event log."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from click.testing import CliRunner, Result
from google.protobuf.message import Message

from services.monitor.adapters.sql import MIGRATIONS
from services.monitor.cli import main
from services.monitor.config import MonitorConfig, Rpc
from services.monitor.main import compose
from slipway.client import AsyncSlipway, VersionCount
from slipway.errors import Kind, SlipwayError
from slipway.events import Event, Publisher, dead_letter_topic
from slipway.events.connect import open_log
from slipway.gen.slipway.inference.v1 import events_pb2
from slipway.gen.slipway.monitor.v1 import monitor_pb2 as pb
from slipway.rpc import status
from slipway.sql import migrate

TOPIC = "inference.predictions.v1"
NOON = datetime(2013, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@dataclass
class Served:
    """A monitor that serves, and a publisher to its log."""

    config: MonitorConfig
    address: str
    publisher: Publisher
    client: AsyncSlipway

    async def refused(self, method: str, request: Message | bytes) -> SlipwayError:
        """The error that a request, or any bytes, is answered with."""
        data = request if isinstance(request, bytes) else request.SerializeToString()
        async with grpc.aio.insecure_channel(self.address) as channel:
            call: Any = channel.unary_unary(f"/slipway.monitor.v1.MonitorService/{method}", None, None)
            with pytest.raises(grpc.aio.AioRpcError) as raised:
                await call(data, timeout=30)
        error = raised.value
        trailing: Any = error.trailing_metadata()
        return status.decode(error.code(), error.details() or "", tuple(trailing))

    async def until(self, wanted: int) -> None:
        """Return when so many predictions of the endpoint are counted."""
        await _until(lambda: self._counted(wanted))

    async def _counted(self, wanted: int) -> bool:
        return (await self.client.monitor.count("flight-delay")).predictions == wanted


async def _until(true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while not await true():
            pass


@pytest.fixture
async def monitor(tmp_path: Path) -> AsyncIterator[Served]:
    config = MonitorConfig(
        rpc=Rpc(listen="127.0.0.1:0", grace_s=1),
        data=tmp_path,
        database_url="",
        events_url=f"sqlite:///{tmp_path / 'log.db'}",
    )
    migrate(config.database, MIGRATIONS)
    async with compose(config) as parts, open_log(config.events) as log:
        for part in parts:
            await part.start()
        address = f"127.0.0.1:{parts.server.port}"
        try:
            async with AsyncSlipway(monitor=address) as client:
                yield Served(config, address, log.publisher(), client)
        finally:
            for part in reversed(parts):
                await part.stop()


def batch(*moments: datetime, **changes: object) -> bytes:
    given: dict[str, object] = {
        "endpoint": "flight-delay",
        "model": "flights",
        "version": 3,
        "route": "main",
        "prediction_ids": [str(n) for n in range(len(moments))],
        "event_times_us": [int(moment.timestamp()) * 1_000_000 for moment in moments],
        "input_digests": [b"" for _ in moments],
    }
    return events_pb2.PredictionBatch(**{**given, **changes}).SerializeToString()  # type: ignore[arg-type]


def event(event_id: str, value: bytes) -> Event:
    return Event(event_id, TOPIC, "flight-delay", "slipway.inference.predictions", "/gateway", NOON, value)


async def test_predictions_are_counted_by_window_of_event_time(monitor: Served) -> None:
    await monitor.publisher.publish(
        [
            event("e1", batch(NOON, NOON + HOUR / 2, NOON + HOUR)),
            event("e2", batch(NOON - HOUR, version=4, route="canary")),
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


async def test_an_event_that_comes_again_counts_once_and_junk_stands_in_nobodys_way(monitor: Served) -> None:
    good = event("e1", batch(NOON))
    uneven = event("uneven", batch(NOON, input_digests=[b"", b""]))
    await monitor.publisher.publish([good, event("junk", b"\xff\xff"), uneven, good, event("e2", batch(NOON))])
    await monitor.publisher.publish([good])
    await monitor.until(2)

    async def set_aside() -> bool:
        async with open_log(monitor.config.events) as log:
            letters = await log.read(dead_letter_topic(TOPIC, "monitor"))
        return [letter.event.id for letter in letters] == ["junk", "uneven"]

    await _until(set_aside)
    assert (await monitor.client.monitor.count("flight-delay")).predictions == 2


async def test_an_endpoint_that_was_never_seen_has_no_predictions(monitor: Served) -> None:
    count = await monitor.client.monitor.count("never-seen")
    assert (count.predictions, count.versions) == (0, ())
    assert [one async for one in monitor.client.monitor.windows("never-seen")] == []


async def test_pages_are_followed_by_their_token(monitor: Served) -> None:
    hours = [NOON + HOUR * n for n in range(7)]
    await monitor.publisher.publish([event("e1", batch(*hours))])
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


@pytest.mark.parametrize("method", ["ListPredictionWindows", "CountPredictions"])
async def test_junk_bytes_are_an_invalid_argument(monitor: Served, method: str) -> None:
    error = await monitor.refused(method, b"\xff\xff\xff")
    assert (error.kind, error.reason) == (Kind.INVALID_ARGUMENT, "MALFORMED_MESSAGE")


@pytest.mark.parametrize(
    ("method", "request_", "field"),
    [
        ("ListPredictionWindows", pb.ListPredictionWindowsRequest(endpoint="No Such!"), "endpoint"),
        ("ListPredictionWindows", pb.ListPredictionWindowsRequest(page_size=501), "page_size"),
        ("ListPredictionWindows", pb.ListPredictionWindowsRequest(page_size=-1), "page_size"),
        ("ListPredictionWindows", pb.ListPredictionWindowsRequest(page_token="junk"), "page_token"),
        ("ListPredictionWindows", pb.ListPredictionWindowsRequest(page_token="WyJhIl0="), "page_token"),
        ("ListPredictionWindows", pb.ListPredictionWindowsRequest(start_time=NOON, end_time=NOON), "start_time"),
        ("ListPredictionWindows", pb.ListPredictionWindowsRequest(start_time={"seconds": 2**60}), "start_time"),
        ("CountPredictions", pb.CountPredictionsRequest(), "endpoint"),
        ("CountPredictions", pb.CountPredictionsRequest(endpoint="e/../f"), "endpoint"),
        ("CountPredictions", pb.CountPredictionsRequest(endpoint="e", start_time=NOON, end_time=NOON), "start_time"),
        ("CountPredictions", pb.CountPredictionsRequest(endpoint="e", end_time={"nanos": -1}), "end_time"),
    ],
)
async def test_bad_input_names_its_field(monitor: Served, method: str, request_: Message, field: str) -> None:
    error = await monitor.refused(method, request_)
    assert error.kind is Kind.INVALID_ARGUMENT
    assert [one.field for one in error.violations] == [field]


async def run(monitor: Served, *arguments: str) -> Result:
    environment = {"SLIPWAY_MONITOR_ADDRESS": monitor.address}
    return await asyncio.to_thread(CliRunner().invoke, main, arguments, env=environment)


async def test_the_operator_sees_counts_and_windows(monitor: Served) -> None:
    later = batch(NOON + HOUR, version=4)
    await monitor.publisher.publish([event("e1", batch(NOON, NOON)), event("e2", later)])
    await monitor.until(3)
    both = [
        {"endpoint": "flight-delay", "model": "flights", "version": 3, "predictions": 2},
        {"endpoint": "flight-delay", "model": "flights", "version": 4, "predictions": 1},
    ]
    assert json.loads((await run(monitor, "predictions", "--json")).output) == both
    since = ("--endpoint", "flight-delay", "--since", "2013-06-01T15:00:00+02:00")
    assert json.loads((await run(monitor, "predictions", *since, "--json")).output) == both[1:]
    (window,) = json.loads((await run(monitor, "windows", "--until", "2013-06-01T13:00", "--json")).output)
    assert (window["start_time"], window["predictions"]) == (NOON.isoformat(), 2)
    assert "flight-delay" in (await run(monitor, "windows")).output
    assert (await run(monitor, "windows", "--endpoint", "never-seen")).output == "no predictions counted\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("predictions", "--since", "yesterday"), "'yesterday' is no moment; write 2013-01-05"),
        (("predictions", "--endpoint", "No Such!"), "endpoint: 'No Such!' is not allowed"),
        (("windows", "--since", "2013-02-01", "--until", "2013-01-01"), "start_time: is not before end_time"),
    ],
)
async def test_the_operator_is_told_what_is_wrong(monitor: Served, arguments: tuple[str, ...], told: str) -> None:
    result = await run(monitor, *arguments)
    assert result.exit_code == 2
    assert told in result.output
