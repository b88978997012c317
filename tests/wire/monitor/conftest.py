"""The monitor composed as its main does, behind a loopback channel: real SQLite files, the real event log."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
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
from slipway.client import AsyncSlipway
from slipway.errors import SlipwayError
from slipway.events import Event, Publisher
from slipway.events.connect import open_log
from slipway.gen.slipway.inference.v1 import events_pb2
from slipway.gen.slipway.monitor.v1 import events_pb2 as label_events_pb2
from slipway.rpc import status
from slipway.sql import migrate

TOPIC = "inference.predictions.v1"
LABELS = "monitor.labels.v1"
PAUSE_S = 0.01  # between looks, which would keep a core from those that are waited for
NOON = datetime(2013, 6, 1, 12, tzinfo=UTC)


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

    async def asked(self, method: str, request: Message, response: type[Message]) -> Any:
        """The answer to a request."""
        async with grpc.aio.insecure_channel(self.address) as channel:
            path = f"/slipway.monitor.v1.MonitorService/{method}"
            call: Any = channel.unary_unary(path, type(request).SerializeToString, response.FromString)
            return await call(request, timeout=30)

    async def learn(self, event: Event) -> None:
        """Publish what the registry says, and return when the monitor has taken it in."""
        await self.publisher.publish([event])
        file = self.config.database.removeprefix("sqlite:///")

        def claimed() -> bool:
            with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
                query = "SELECT count(*) FROM inbox WHERE event_id = ?"
                (count,) = connection.execute(query, (f"{event.topic}/{event.id}",)).fetchone()
            return bool(count)

        await self.eventually(lambda: asyncio.to_thread(claimed))

    async def until(self, wanted: int) -> None:
        """Return when so many predictions of the endpoint are counted."""
        await self.eventually(lambda: self._counted(wanted))

    async def _counted(self, wanted: int) -> bool:
        return (await self.client.monitor.count("flight-delay")).predictions == wanted

    @staticmethod
    async def eventually(true: Callable[[], Awaitable[bool]]) -> None:
        """Return when ``true`` is."""
        async with asyncio.timeout(60):
            while not await true():
                await asyncio.sleep(PAUSE_S)

    @staticmethod
    def batch(*moments: datetime, **changes: object) -> bytes:
        """A batch with a row a moment."""
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

    @staticmethod
    def labels(*rows: tuple[str, float, datetime], endpoint: str = "flight-delay", event_id: str) -> Event:
        """An event of labels: prediction id, value, label time."""
        batch = label_events_pb2.LabelBatch(
            endpoint=endpoint,
            prediction_ids=[row[0] for row in rows],
            values=[row[1] for row in rows],
            label_times_us=[int(row[2].timestamp()) * 1_000_000 for row in rows],
            source="tower",
        )
        return Event(event_id, LABELS, endpoint, "slipway.monitor.labels", "/tower", NOON, batch.SerializeToString())

    @staticmethod
    def event(event_id: str, value: bytes) -> Event:
        """An event of the prediction log."""
        return Event(event_id, TOPIC, "flight-delay", "slipway.inference.predictions", "/gateway", NOON, value)


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


@pytest.fixture
def run(monitor: Served) -> Callable[..., Awaitable[Result]]:
    """The operator's command, against the monitor."""

    async def run(*arguments: str) -> Result:
        environment = {"SLIPWAY_MONITOR_ADDRESS": monitor.address}
        return await asyncio.to_thread(CliRunner().invoke, main, arguments, env=environment)

    return run


@pytest.fixture
async def poisoned(monitor: Served) -> Served:
    """A monitor that was given two events that it can't handle among two that it can."""
    uneven = monitor.batch(NOON, input_digests=[b"", b""])
    values = {"e1": monitor.batch(NOON), "junk": b"\xff\xff", "uneven": uneven, "e2": monitor.batch(NOON)}
    await monitor.publisher.publish([monitor.event(event_id, value) for event_id, value in values.items()])

    async def set_aside() -> bool:
        return len([one async for one in monitor.client.monitor.dead_letters()]) == 2

    await monitor.eventually(set_aside)
    return monitor
