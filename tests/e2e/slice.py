"""Two weeks of the example's flights, lived on a platform of the test's own, with shorter windows than the story's."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from examples.flights import story
from examples.flights.warehouse import write_sources
from slipway.client import AsyncSlipway, ModelVersion, Slipway
from slipway.events.sqlite import SqliteEventLog
from slipway.gen.slipway.inference.v1 import events_pb2
from tests import prediction_log

ROOT = Path(__file__).parents[2]
# Storms in the second half of June make flights late as no flight of the winter was.
START, END = datetime(2013, 6, 20, tzinfo=UTC), datetime(2013, 7, 4, tzinfo=UTC)
TRAINED_UNTIL = datetime(2013, 4, 1, tzinfo=UTC)
EVERY = 5
_WINDOWS = {
    "performance_window_s = 604800": "performance_window_s = 172800",
    "label_maturity_s = 86400": "label_maturity_s = 21600",
    "min_rows = 200": "min_rows = 60",
}
_SMALL = {"rounds": 20, "net": False, "min_labels": 40, "max_labels": 300}


@dataclass(frozen=True)
class Platform:
    """A platform that runs on ``data``; the replay lives on it once."""

    data: Path

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {"SLIPWAY_DATA": str(self.data)}

    def up(self) -> None:
        config = self.data / "config"
        shutil.copytree(ROOT / "deploy" / "config", config)
        monitor = (config / "monitor.toml").read_text()
        for default, short in _WINDOWS.items():
            assert default in monitor, f"deploy/config/monitor.toml has no `{default}`"
            monitor = monitor.replace(default, short)
        (config / "monitor.toml").write_text(monitor)
        self.run("slipway", "up", "--detach", "--free-ports", "--without", "ray", "--config-dir", str(config))

    def down(self) -> None:
        self.run("slipway", "down", check=False)

    def run(self, command: str, *arguments: str, check: bool = True) -> str:
        words = [str(Path(sys.executable).with_name(command)), *arguments]
        done = subprocess.run(
            words, env=self.environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=240
        )
        assert done.returncode == 0 or not check, f"{' '.join(words)}: {done.stderr}"
        return done.stdout

    def service(self, name: str) -> dict[str, Any]:
        listed = json.loads(self.run("slipway", "status", "--json", check=False))["services"]
        return next(one for one in listed if one["name"] == name)

    def addresses(self) -> dict[str, str]:
        listed = json.loads(self.run("slipway", "status", "--json", check=False))["services"]
        at = {one["name"]: one["endpoints"]["grpc"] for one in listed}
        return {
            "registry": at["registry"],
            "features": at["feature_serving"],
            "training": at["training_scheduler"],
            "gateway": at["inference_gateway"],
            "monitor": at["monitor"],
        }

    def client(self) -> Slipway:
        return Slipway(**self.addresses())


@dataclass(frozen=True)
class Lived:
    """What living the two weeks came to."""

    told: story.Told
    asked: int
    static: ModelVersion
    champion: ModelVersion


def prepare(platform: Platform) -> tuple[ModelVersion, ModelVersion]:
    """Define, train and release: the static version and the champion."""
    write_sources(platform.data / "feature_serving" / "sources")
    platform.run("slipway-features", "apply", str(ROOT / "examples" / "flights" / "feature_repo"))
    return asyncio.run(_made(platform))


def live(platform: Platform, static: ModelVersion, champion: ModelVersion) -> Lived:
    """The two weeks, hour by hour."""
    return asyncio.run(_live(platform, static, champion))


def logged(data: Path) -> Counter[str]:
    """How often each prediction is on the log as answered."""
    return Counter(one for batch in batches(data) if not batch.shadow for one in batch.prediction_ids)


def batches(data: Path) -> Iterable[events_pb2.PredictionBatch]:
    """The prediction log, batch by batch."""
    return prediction_log.batches(asyncio.run(_values(data)))


async def _made(platform: Platform) -> tuple[ModelVersion, ModelVersion]:
    params = {**_SMALL, "start": "2013-02-01T00:00:00+00:00", "cutoff": TRAINED_UNTIL.isoformat()}
    async with AsyncSlipway(**platform.addresses()) as slipway:
        static = await story.train(slipway, {**params, "feature_set": "static"}, uuid.uuid4().hex, _ignored)
        champion = await story.train(slipway, params, uuid.uuid4().hex, _ignored)
        await story.release(slipway, static, 60, _ignored)
        await story.arm(slipway, {**_SMALL, "start": params["start"]})
        return static, champion


async def _live(platform: Platform, static: ModelVersion, champion: ModelVersion) -> Lived:
    async with (
        AsyncSlipway(**platform.addresses()) as slipway,
        SqliteEventLog.open(platform.data / "events" / "log.db") as log,
    ):
        asked = story.questions(champion, END, EVERY, START)
        streams = await story.views(slipway, platform.data / "feature_serving" / "sources")
        told = await story.replay(
            slipway, log.publisher(), streams, asked, start=START, end=END, progress=_ignored, said=print
        )
        return Lived(told, len(asked), static, champion)


async def _values(data: Path) -> list[bytes]:
    found: list[bytes] = []
    async with SqliteEventLog.open(data / "events" / "log.db") as log:
        offset = 0
        while records := await log.read("inference.predictions.v1", offset, 500):
            found += [record.event.value for record in records]
            offset = records[-1].offset + 1
    return found


def _ignored(_: str) -> None:
    return
