"""kill -9 of feature serving's process while rows flow: every row is applied, and none over a newer one.

And while events of a windowed view flow: each counts once.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from slipway.client import Aggregation, AggregationFunction, AsyncSlipway, Feature, FeatureView, ValueType
from slipway.errors import Kind, SlipwayError
from slipway.events import Event, dead_letter_topic
from slipway.events.connect import open_log
from slipway.gen.slipway.features.v1 import events_pb2
from slipway.supervisor.ports import free_port
from slipway.supervisor.redis import find_redis

TOPIC = "features.rows.v1"
KILLS = 3
PAUSE_S = 0.01  # between looks, which would keep a core from those that are waited for
KEYS = 50
START = datetime(2013, 1, 1, tzinfo=UTC)
VIEW = FeatureView("planes", "fleet", ("number",), (Feature("last", ValueType.INT64),))
MINUTE = timedelta(minutes=1)
FLIGHTS = FeatureView(
    "flights",
    "fleet",
    ("number",),
    (Feature("flown", ValueType.INT64), Feature("delay", ValueType.DOUBLE), Feature("worst", ValueType.DOUBLE)),
    aggregations=(
        Aggregation("flown", "delay", AggregationFunction.COUNT, 10 * MINUTE),
        Aggregation("delay", "delay", AggregationFunction.SUM, 10 * MINUTE),
        Aggregation("worst", "delay", AggregationFunction.MAX, 2 * MINUTE),
    ),
    hop=MINUTE,
)


class Features:
    """A real ``slipway-features`` beside a Redis of its own; it may be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.events = f"sqlite:///{folder / 'log.db'}"
        self.address = f"127.0.0.1:{free_port()}"
        store = folder / "redis.sock"
        self._stderr = (folder / "stderr").open("a", encoding="utf-8")
        self._environment = {
            **os.environ,
            "SLIPWAY_DATA": str(folder),
            "SLIPWAY_EVENTS": self.events,
            "SLIPWAY_REDIS": f"unix://{store}",
            "SLIPWAY_FEATURE_SERVING_GRPC_LISTEN": self.address,
            "SLIPWAY_FEATURE_SERVING_METRICS_LISTEN": "127.0.0.1:0",
        }
        command = [find_redis(), "--port", "0", "--unixsocket", str(store), "--dir", str(folder), "--save", ""]
        self._redis = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [str(Path(sys.executable).with_name("slipway-features")), "serve", "--migrate"]
        self._process = subprocess.Popen(command, env=self._environment, stderr=self._stderr)

    def end(self, number: signal.Signals) -> int:
        """Send a signal, wait for the end; the exit status."""
        assert self._process is not None
        self._process.send_signal(number)
        status = self._process.wait(60)
        self._process = None
        return status

    def close(self) -> None:
        if self._process is not None:
            self.end(signal.SIGKILL)
        self._redis.kill()
        self._redis.wait(60)
        self._stderr.close()

    async def ready(self) -> None:
        """Return when it knows the view."""
        while True:
            try:
                async with AsyncSlipway(features=self.address) as client:
                    await client.features.apply([VIEW, FLIGHTS])
                return
            except SlipwayError as error:
                if error.kind is not Kind.UNAVAILABLE:
                    raise
            await asyncio.sleep(PAUSE_S)

    async def reached(self, number: int, view: str = "planes") -> None:
        """Return when the event of that number is applied."""
        async with AsyncSlipway(features=self.address) as client:
            while True:
                try:
                    if (await client.features.watermark(view)).event_time >= moment(number):
                        return
                except SlipwayError as error:
                    if error.kind is not Kind.NOT_FOUND:
                        raise
                await asyncio.sleep(PAUSE_S)


@pytest.fixture
def features(tmp_path: Path) -> Iterator[Features]:
    features = Features(tmp_path)
    yield features
    features.close()


def moment(number: int) -> datetime:
    return START + timedelta(seconds=number)


def event(number: int) -> Event:
    """One row: the number itself, of one of 50 keys."""
    rows = events_pb2.FeatureRows(
        view="planes",
        entities=[{"name": "number", "int64s": {"values": [number % KEYS]}}],
        features=[{"name": "last", "int64s": {"values": [number]}}],
        event_times_us=[int(moment(number).timestamp()) * 1_000_000],
    )
    return Event(str(number), TOPIC, "planes", "t", "/test", START, rows.SerializeToString())


async def test_killed_again_and_again_it_keeps_the_newest_row_of_each_entity(features: Features) -> None:
    published = 0

    async def publish(events: int) -> None:
        nonlocal published
        await log.publisher().publish([event(number) for number in range(published, published + events)])
        published += events

    async with open_log(features.events) as log, asyncio.timeout(240):
        for _ in range(KILLS):
            features.start()
            await features.ready()
            await publish(50)
            await features.reached(published - 1)
            # It is busy with these when it dies: more than it takes from the log at once.
            await publish(1000)
            assert features.end(signal.SIGKILL) == -signal.SIGKILL
        features.start()
        await features.ready()
        await features.reached(published - 1)
        async with AsyncSlipway(features=features.address) as client:
            found = await client.features.get_online(["planes:last"], [{"number": key} for key in range(KEYS)])
        assert await log.read(dead_letter_topic(TOPIC, "feature_serving")) == []
    newest = range(published - KEYS, published)
    assert found["planes:last"].values == tuple(sorted(newest, key=lambda number: number % KEYS))
    assert features.end(signal.SIGTERM) == 0


def happening(number: int) -> Event:
    """An event of a windowed view, the number itself, of one of 50 keys; a second later nothing older is to come."""
    rows = events_pb2.FeatureRows(
        view="flights",
        entities=[{"name": "number", "int64s": {"values": [number % KEYS]}}],
        features=[{"name": "delay", "doubles": {"values": [number]}}],
        event_times_us=[int(moment(number).timestamp()) * 1_000_000],
        complete_until_us=int(moment(number + 1).timestamp()) * 1_000_000,
    )
    return Event(f"flight-{number}", TOPIC, "flights", "t", "/test", START, rows.SerializeToString())


def counted(key: int, upto: int, seconds: int) -> list[int]:
    """The events of a key in the window that ends with the last whole minute before event ``upto``."""
    end = upto // 60 * 60
    return [number for number in range(max(0, end - seconds), end) if number % KEYS == key]


async def test_killed_again_and_again_it_counts_each_event_of_a_window_once(features: Features) -> None:
    published = 0

    async def publish(events: int) -> None:
        nonlocal published
        await log.publisher().publish([happening(number) for number in range(published, published + events)])
        published += events

    async with open_log(features.events) as log, asyncio.timeout(240):
        for _ in range(KILLS):
            features.start()
            await features.ready()
            await publish(50)
            await features.reached(published, "flights")
            # It is busy with these when it dies: more than it takes from the log at once.
            await publish(1000)
            await features.reached(published - 999, "flights")
            assert features.end(signal.SIGKILL) == -signal.SIGKILL
        features.start()
        await features.ready()
        await features.reached(published, "flights")
        names = ["flights:flown", "flights:delay", "flights:worst"]
        async with AsyncSlipway(features=features.address) as client:
            found = await client.features.get_online(names, [{"number": key} for key in range(KEYS)])
            assert (await client.features.watermark("flights")).late_rows == 0
        assert await log.read(dead_letter_topic(TOPIC, "feature_serving")) == []
    wide = [counted(key, published, 600) for key in range(KEYS)]
    narrow = [counted(key, published, 120) for key in range(KEYS)]
    assert found["flights:flown"].values == tuple(len(one) for one in wide)
    assert found["flights:delay"].values == tuple(sum(one) for one in wide)
    assert found["flights:worst"].values == tuple(max(one) for one in narrow)
    assert features.end(signal.SIGTERM) == 0
