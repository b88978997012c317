"""kill -9 of feature serving while training sets are made: each is made all the same, and its child dies with it."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from slipway.client import (
    AsyncSlipway,
    Feature,
    FeatureService,
    FeatureView,
    Source,
    TrainingSetState,
    ValueType,
)
from slipway.errors import Kind, SlipwayError
from slipway.supervisor.ports import free_port

SETS = 3
KILLS = 2
PAUSE_S = 0.01  # between looks, which would keep a core from those that are waited for
START = datetime(2013, 1, 1, tzinfo=UTC)
PLANES = FeatureView(
    "planes",
    "fleet",
    ("tailnum",),
    (Feature("seats", ValueType.INT64),),
    source=Source("planes", "planes.parquet", "known"),
)


class Features:
    """A real ``slipway-features``; it may be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = f"127.0.0.1:{free_port()}"
        self._stderr = (folder / "stderr").open("a", encoding="utf-8")
        self._environment = {
            **os.environ,
            "SLIPWAY_DATA": str(folder),
            "SLIPWAY_EVENTS": f"sqlite:///{folder / 'log.db'}",
            # Training sets need no online store.
            "SLIPWAY_REDIS": f"unix://{folder / 'no-redis.sock'}",
            "SLIPWAY_FEATURE_SERVING_GRPC_LISTEN": self.address,
            "SLIPWAY_FEATURE_SERVING_METRICS_LISTEN": "127.0.0.1:0",
        }
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
        self._stderr.close()

    async def joins(self) -> int:
        """Return once a join is under way: the process id of what joins."""
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        while True:
            if found := children.read_text().split():
                return int(found[0])
            await asyncio.sleep(PAUSE_S)


@pytest.fixture
def features(tmp_path: Path) -> Iterator[Features]:
    sources = tmp_path / "feature_serving" / "sources"
    sources.mkdir(parents=True)
    moments = [START + timedelta(minutes=n) for n in range(1000)]
    planes = {"tailnum": [f"N{n % 7}" for n in range(1000)], "known": moments, "seats": list(range(1000))}
    pq.write_table(pa.table(planes), sources / "planes.parquet")
    features = Features(tmp_path)
    yield features
    features.close()


def spine() -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table({"tailnum": ["N3"], "event_time": [START + timedelta(hours=3)]}), file)
    return file.getvalue()


async def ask(client: AsyncSlipway) -> list[str]:
    """Ask for all sets, under keys of the test's own; their ids. Patient with a service that starts."""
    while True:
        try:
            await client.features.apply([PLANES])
            await client.features.apply_services([FeatureService("seats", "fleet", ("planes:seats",))])
            made = [
                await client.features.create_training_set(
                    spine(), "seats", START + timedelta(days=1 + n), request_id=f"ask-{n}"
                )
                for n in range(SETS)
            ]
        except SlipwayError as error:
            if error.kind is not Kind.UNAVAILABLE:
                raise
            await asyncio.sleep(PAUSE_S)
        else:
            return [one.id for one in made]


async def ended(pid: int) -> None:
    """Return when a process is gone, though nobody but the kernel told it to go."""
    while True:
        if gone(pid):
            return
        await asyncio.sleep(PAUSE_S)


def gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody has waited for yet counts."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in {"Z", "X"}
    except FileNotFoundError:
        return True


async def test_killed_while_it_makes_them_it_makes_them_all_the_same(features: Features) -> None:
    async with asyncio.timeout(240):
        asked: list[list[str]] = []
        for _ in range(KILLS):
            features.start()
            async with AsyncSlipway(features=features.address) as client:
                asked.append(await ask(client))
            child = await features.joins()
            assert features.end(signal.SIGKILL) == -signal.SIGKILL
            await ended(child)
        features.start()
        async with AsyncSlipway(features=features.address) as client:
            asked.append(await ask(client))
            made = [await client.features.wait_training_set(one, patience_s=60) for one in asked[-1]]
            assert [one.id async for one in client.features.training_sets()] == [one.id for one in reversed(made)]
            data = [await client.features.download_training_set(one.id) for one in made]
    # The same ids however often it was asked and killed between, each set with the one answer.
    assert asked == [asked[0]] * (KILLS + 1)
    assert [one.state for one in made] == [TrainingSetState.READY] * SETS
    assert [pq.read_table(io.BytesIO(one)).column("planes__seats").to_pylist() for one in data] == [[178]] * SETS
    # What the killed ones had begun is swept: of this process there is one empty folder and its lock.
    assert len(list((features.folder / "feature_serving" / "joins").rglob("*"))) == 2
    assert features.end(signal.SIGTERM) == 0
