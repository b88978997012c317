"""The example as a newcomer runs it, then every process of the platform killed while predictions flow."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from examples.flights.asks import Ask, asks
from examples.flights.story import ENDPOINT, strangers
from slipway.client import Slipway
from slipway.errors import Kind, SlipwayError
from slipway.events.sqlite import SqliteEventLog
from slipway.gen.slipway.inference.v1 import events_pb2

ROOT = Path(__file__).parents[2]
Wait = Callable[[Callable[[], Any]], Any]
SERVICES = ("inference_gateway", "monitor", "registry", "training_scheduler", "feature_serving")


@dataclass(frozen=True)
class Platform:
    data: Path
    result: dict[str, Any]

    def status(self) -> dict[str, Any]:
        return json.loads(_run("slipway.supervisor", "status", "--json", data=self.data, check=False).stdout)

    def service(self, name: str) -> dict[str, Any]:
        return next(one for one in self.status()["services"] if one["name"] == name)

    def client(self) -> Slipway:
        at = {one["name"]: one["endpoints"]["grpc"] for one in self.status()["services"]}
        return Slipway(
            registry=at["registry"],
            features=at["feature_serving"],
            training=at["training_scheduler"],
            gateway=at["inference_gateway"],
            monitor=at["monitor"],
        )


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    data = tmp_path_factory.mktemp("slipway")
    figures = data / "figures.json"
    done = _run(
        "examples.flights.quickstart",
        "--keep",
        "--free-ports",
        "--without-ray",
        "--predictions=2000",
        f"--json={figures}",
        data=data,
        check=False,
    )
    try:
        assert done.returncode == 0, done.stderr
        yield Platform(data, json.loads(figures.read_text()))
    finally:
        _run("slipway.supervisor", "down", data=data, check=False)


def test_the_quickstart_serves_what_lightgbm_says_and_counts_every_answer(platform: Platform) -> None:
    result = platform.result
    assert result["max_difference"] <= 1e-6
    assert result["predictions"] == result["counted"] == 2000
    assert result["repeated_alike"] == 100
    assert result["auc"] > 0.6
    assert {one["state"] for one in platform.status()["services"]} == {"serving"}


def test_the_version_says_where_it_comes_from(platform: Platform) -> None:
    with platform.client() as slipway:
        version = slipway.registry.get_version(platform.result["model"], alias="champion")
        run = slipway.training.get_run(version.lineage.run_id)
    assert version.number == platform.result["version"]
    assert version.lineage.data is not None
    assert version.lineage.data.row_count == platform.result["train_rows"]
    assert version.lineage.code is not None
    assert version.lineage.code.workflow == run.workflow == "flights-delay"
    assert [step.name for step in run.steps] == ["load", "train", "evaluate", "export", "register"]
    assert set(version.metrics) >= {"auc", "log_loss"}


@dataclass
class Load:
    """Callers who ask until told to stop, each repeating a question under its id until it is answered."""

    platform: Platform
    questions: list[Ask]
    answered: dict[str, float] = field(default_factory=dict)
    refused: list[SlipwayError] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        with self.platform.client() as slipway:
            while not self.stop.is_set():
                for question in self.questions:
                    self._ask(slipway, question, uuid.uuid4().hex)
                    if self.stop.is_set():
                        return

    def _ask(self, slipway: Slipway, question: Ask, one: str) -> None:
        while True:
            try:
                [answer] = slipway.inference.predict(
                    ENDPOINT,
                    [question.features],
                    entity_keys=[question.entity],
                    prediction_ids=[one],
                    event_times=question.event_time,
                    timeout_s=5,
                )
            except SlipwayError as error:
                if error.kind not in {Kind.UNAVAILABLE, Kind.DEADLINE_EXCEEDED, Kind.CANCELLED, Kind.NOT_FOUND}:
                    self.refused.append(error)
                    return
                if self.stop.wait(0.02):
                    return
                continue
            self.answered[one] = float(answer.value)
            return


def test_every_answered_prediction_is_logged_once_whatever_is_killed(platform: Platform, wait: Wait) -> None:
    before = platform.result["predictions"]
    load = Load(platform, strangers(asks(300, seed=3)))
    callers = [threading.Thread(target=load.run) for _ in range(3)]
    for caller in callers:
        caller.start()
    try:
        for name in (*SERVICES, "worker", "inference_gateway"):
            _flowing(load, wait)
            _kill(platform, name, wait)
        _flowing(load, wait)
    finally:
        load.stop.set()
        for caller in callers:
            caller.join()
    assert load.refused == []
    with platform.client() as slipway:
        wait(lambda: slipway.inference.prediction_log().pending_batches == 0)
        logged = _logged(platform.data)
        assert {one for one, times in logged.items() if times > 1} == set()
        assert set(load.answered) <= set(logged)
        assert len(logged) >= before + len(load.answered)
        counted = wait(lambda: (seen := slipway.monitor.count(ENDPOINT).predictions) >= len(logged) and seen)
        assert counted == len(logged)


def _kill(platform: Platform, name: str, wait: Wait) -> None:
    if name == "worker":
        with platform.client() as slipway:
            [arm] = [arm for one in slipway.inference.endpoints() for arm in one.routes]
            os.kill(arm.worker_pid, signal.SIGKILL)
            wait(lambda: _worker_pid(slipway) not in {0, arm.worker_pid})
        return
    pid = platform.service(name)["pid"]
    os.kill(pid, signal.SIGKILL)
    wait(lambda: (now := platform.service(name))["state"] == "serving" and now["pid"] != pid)


def _worker_pid(slipway: Slipway) -> int:
    return next(arm.worker_pid for one in slipway.inference.endpoints() for arm in one.routes)


def _flowing(load: Load, wait: Wait) -> None:
    """Wait until fifty more questions were answered: the platform is at work when the next blow falls."""
    seen = len(load.answered)
    wait(lambda: len(load.answered) >= seen + 50)


def _logged(data: Path) -> Counter[str]:
    async def read() -> Counter[str]:
        found: Counter[str] = Counter()
        async with SqliteEventLog.open(data / "events" / "log.db") as log:
            offset = 0
            while records := await log.read("inference.predictions.v1", offset, 500):
                for record in records:
                    found.update(events_pb2.PredictionBatch.FromString(record.event.value).prediction_ids)
                offset = records[-1].offset + 1
        return found

    return asyncio.run(read())


def _run(module: str, *arguments: str, data: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env=os.environ | {"SLIPWAY_DATA": str(data)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=check,
        timeout=300,
    )
