"""kill -9 of the monitor's process while events flow: every prediction is counted, each once."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc.aio
import pytest

from slipway.events import Event
from slipway.events.connect import open_log
from slipway.gen.slipway.inference.v1 import events_pb2
from slipway.gen.slipway.monitor.v1 import monitor_pb2 as pb

TOPIC = "inference.predictions.v1"
KILLS = 3
ROWS = 3
START = datetime(2013, 1, 1, tzinfo=UTC)


class Monitor:
    """A real ``slipway-monitor``, which may be killed and started again on the same data and port."""

    def __init__(self, folder: Path) -> None:
        self.events = f"sqlite:///{folder / 'log.db'}"
        self.address = f"127.0.0.1:{_free_port()}"
        self._stderr = (folder / "stderr").open("a", encoding="utf-8")
        self._environment = {
            **os.environ,
            "SLIPWAY_DATA": str(folder),
            "SLIPWAY_EVENTS": self.events,
            "SLIPWAY_MONITOR_GRPC_LISTEN": self.address,
            "SLIPWAY_MONITOR_METRICS_LISTEN": "127.0.0.1:0",
        }
        subprocess.run([*_command(), "migrate"], env=self._environment, check=True, capture_output=True)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen([*_command(), "serve"], env=self._environment, stderr=self._stderr)

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
        self._stderr.close()

    async def count(self) -> int:
        """Predictions counted so far, as soon as the process answers."""
        async with grpc.aio.insecure_channel(self.address) as channel:
            call = channel.unary_unary(
                "/slipway.monitor.v1.MonitorService/CountPredictions",
                pb.CountPredictionsRequest.SerializeToString,
                pb.CountPredictionsResponse.FromString,
            )
            answer = await call(pb.CountPredictionsRequest(endpoint="flight-delay"), timeout=60, wait_for_ready=True)
        return int(answer.predictions)


def _command() -> list[str]:
    return [str(Path(sys.executable).with_name("slipway-monitor"))]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.fixture
def monitor(tmp_path: Path) -> Iterator[Monitor]:
    monitor = Monitor(tmp_path)
    yield monitor
    monitor.close()


def event(number: int) -> Event:
    batch = events_pb2.PredictionBatch(
        endpoint="flight-delay",
        model="flights",
        version=1 + number % 2,
        route="main",
        prediction_ids=[f"{number}-{row}" for row in range(ROWS)],
        event_times_us=[int((START + timedelta(hours=number % 48)).timestamp()) * 1_000_000] * ROWS,
        input_digests=[b""] * ROWS,
    )
    return Event(str(number), TOPIC, "flight-delay", "t", "/gateway", START, batch.SerializeToString())


async def test_killed_again_and_again_it_counts_each_prediction_once(monitor: Monitor) -> None:
    published = 0

    async def publish(events: int) -> None:
        nonlocal published
        await log.publisher().publish([event(number) for number in range(published, published + events)])
        published += events

    async with open_log(monitor.events) as log, asyncio.timeout(240):
        for _ in range(KILLS):
            monitor.start()
            before = await monitor.count()
            while await monitor.count() <= before:
                await publish(50)
            # It is busy with these when it dies: more than it takes from the log at once.
            await publish(2000)
            assert monitor.end(signal.SIGKILL) == -signal.SIGKILL
        monitor.start()
        while await monitor.count() < ROWS * published:
            pass
        # A last event behind all others: what could still be counted twice stands before it.
        await publish(1)
        while (counted := await monitor.count()) < ROWS * published:
            pass
    assert counted == ROWS * published
    assert monitor.end(signal.SIGTERM) == 0
