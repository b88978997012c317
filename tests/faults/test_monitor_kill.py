"""kill -9 of the monitor's process while events flow: every prediction is counted and every label joined, each once."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import grpc.aio
import pytest
from google.protobuf.message import Message

from slipway.events import Event
from slipway.events.connect import open_log
from slipway.gen.slipway.inference.v1 import events_pb2
from slipway.gen.slipway.monitor.v1 import events_pb2 as label_events_pb2
from slipway.gen.slipway.monitor.v1 import monitor_pb2 as pb
from slipway.gen.slipway.monitor.v1 import resources_pb2 as res
from slipway.gen.slipway.registry.v1 import events_pb2 as registry_pb2
from slipway.gen.slipway.registry.v1 import resources_pb2 as registered_pb2
from slipway.supervisor.ports import free_port

TOPIC = "inference.predictions.v1"
KILLS = 3
ROWS = 3
PAUSE_S = 0.01  # between looks, which would keep a core from those that are waited for
START = datetime(2013, 1, 1, tzinfo=UTC)
ENDPOINT = "flight-delay"
LABELS = "monitor.labels.v1"


class Monitor:
    """A real ``slipway-monitor``, which may be killed and started again on the same data and port."""

    def __init__(self, folder: Path) -> None:
        self.events = f"sqlite:///{folder / 'log.db'}"
        self.address = f"127.0.0.1:{free_port()}"
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
        request = pb.CountPredictionsRequest(endpoint=ENDPOINT)
        return int((await self.ask("CountPredictions", request, pb.CountPredictionsResponse)).predictions)

    async def coverage(self) -> res.LabelCoverage:
        """How far labels have come."""
        request = pb.GetLabelCoverageRequest(endpoint=ENDPOINT)
        (found,) = (await self.ask("GetLabelCoverage", request, pb.GetLabelCoverageResponse)).coverages
        return cast("res.LabelCoverage", found)

    async def performance(self) -> list[res.PerformanceWindow]:
        """Every performance window."""
        request = pb.ListPerformanceWindowsRequest(endpoint=ENDPOINT, page_size=500)
        answer = await self.ask("ListPerformanceWindows", request, pb.ListPerformanceWindowsResponse)
        return list(answer.windows)

    async def incidents(self) -> list[res.Incident]:
        """Every incident, open or ended."""
        answer = await self.ask("ListIncidents", pb.ListIncidentsRequest(), pb.ListIncidentsResponse)
        return list(answer.incidents)

    async def ask(self, method: str, request: Message, response: Any) -> Any:
        """The answer to a request, as soon as the process gives one."""
        async with grpc.aio.insecure_channel(self.address) as channel:
            path = f"/slipway.monitor.v1.MonitorService/{method}"
            call: Any = channel.unary_unary(path, type(request).SerializeToString, response.FromString)
            return await call(request, timeout=60, wait_for_ready=True)


def _command() -> list[str]:
    return [str(Path(sys.executable).with_name("slipway-monitor"))]


@pytest.fixture
def monitor(tmp_path: Path) -> Iterator[Monitor]:
    monitor = Monitor(tmp_path)
    yield monitor
    monitor.close()


def event(number: int) -> Event:
    """A batch a row, of two arms by turns."""
    first, *more = (
        events_pb2.PredictionBatch(
            endpoint="flight-delay",
            model="flights",
            version=1 + number % 2,
            route=("main", "canary")[row % 2],
            prediction_ids=[f"{number}-{row}"],
            event_times_us=[int((START + timedelta(hours=number % 48)).timestamp()) * 1_000_000],
            input_digests=[b""],
            outputs=[events_pb2.OutputColumn(name="probability", width=1, values=[0.25])],
        )
        for row in range(ROWS)
    )
    first.more.extend(more)
    return Event(str(number), TOPIC, "flight-delay", "t", "/gateway", START, first.SerializeToString())


def truth(number: int, value: float, hours: int) -> Event:
    """What came of all predictions of an event, known ``hours`` after the start."""
    batch = label_events_pb2.LabelBatch(
        endpoint=ENDPOINT,
        prediction_ids=[f"{number}-{row}" for row in range(ROWS)],
        values=[value] * ROWS,
        label_times_us=[int((START + timedelta(hours=hours)).timestamp()) * 1_000_000] * ROWS,
    )
    return Event(f"{number}-{hours}", LABELS, ENDPOINT, "t", "/tower", START, batch.SerializeToString())


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
            await asyncio.sleep(PAUSE_S)
        # A last event behind all others: what could still be counted twice stands before it.
        await publish(1)
        while (counted := await monitor.count()) < ROWS * published:
            await asyncio.sleep(PAUSE_S)
    assert counted == ROWS * published
    assert monitor.end(signal.SIGTERM) == 0


async def test_killed_again_and_again_it_joins_each_label_once(monitor: Monitor) -> None:
    published = 0

    async def publish(events: int) -> None:
        """Half of the labels before their predictions; a third of them wrong at first, and corrected."""
        nonlocal published
        numbers = range(published, published + events)
        predictions = [event(number) for number in numbers]
        early = [truth(number, 1.0 if number % 3 == 0 else 0.0, 100) for number in numbers if number % 2]
        late = [truth(number, 1.0 if number % 3 == 0 else 0.0, 100) for number in numbers if not number % 2]
        corrected = [truth(number, 0.0, 200) for number in numbers if number % 3 == 0]
        await log.publisher().publish(early)
        await log.publisher().publish(predictions)
        await log.publisher().publish([*late, *corrected, *early])
        published += events

    async with open_log(monitor.events) as log, asyncio.timeout(240):
        for _ in range(KILLS):
            monitor.start()
            before = (await monitor.coverage()).joined
            while (await monitor.coverage()).joined <= before:
                await publish(50)
            # It is busy with these when it dies: more than it takes from the log at once.
            await publish(800)
            assert monitor.end(signal.SIGKILL) == -signal.SIGKILL
        monitor.start()
        while not await _all_is_in(monitor, published):
            await asyncio.sleep(PAUSE_S)
        # Last events behind all others: what could still be joined twice stands before them.
        await publish(1)
        while not await _all_is_in(monitor, published):
            await asyncio.sleep(PAUSE_S)
        coverage, windows = await monitor.coverage(), await monitor.performance()
    corrections = ROWS * len(range(0, published, 3))
    assert (coverage.joined, coverage.labels_joined, coverage.labels_waiting) == (ROWS * published, ROWS * published, 0)
    assert (coverage.labels_corrected, coverage.labels_ignored, coverage.labels_repeated) == (corrections, 0, 0)
    assert sum(window.predictions for window in windows) == ROWS * published
    # Every label is 0 in the end, so nothing that was 1 may be left in any figure.
    assert [window.positives for window in windows] == [0] * len(windows)
    assert sum(window.classified for window in windows) == ROWS * published
    assert all(window.brier == 0.0625 for window in windows)
    assert monitor.end(signal.SIGTERM) == 0


async def _all_is_in(monitor: Monitor, published: int) -> bool:
    coverage = await monitor.coverage()
    return (coverage.joined, coverage.labels_corrected) >= (ROWS * published, ROWS * len(range(0, published, 3)))


@pytest.mark.parametrize("heard_in_week", [0, 2])
async def test_killed_again_and_again_it_opens_one_incident_and_reaches_one_verdict(
    monitor: Monitor, heard_in_week: int
) -> None:
    weeks = 4
    registered, wanted = _said_by_the_registry()
    async with open_log(monitor.events) as log, asyncio.timeout(240):
        await log.publisher().publish([wanted])
        for week in range(weeks):
            if week == heard_in_week:
                await log.publisher().publish([registered])
            monitor.start()
            await monitor.coverage()
            for events in zip(*_week(week), strict=True):
                await log.publisher().publish(events)
            # It is busy with this week's when it dies.
            if week < weeks - 1:
                assert monitor.end(signal.SIGKILL) == -signal.SIGKILL
        while (await monitor.coverage()).labels_joined < weeks * WEEK_ROWS:
            await asyncio.sleep(PAUSE_S)
        while not (incidents := await monitor.incidents()):
            await asyncio.sleep(PAUSE_S)
        verdicts = (await monitor.ask("ListVerdicts", pb.ListVerdictsRequest(), pb.ListVerdictsResponse)).verdicts
        told: dict[str, int] = {}
        while told.get("monitor.incident.v1", 0) < 1 or told.get("monitor.verdict.v1", 0) < 1:
            await asyncio.sleep(PAUSE_S)
            told = {info.name: info.count for info in await log.topics()}
    assert [(one.version, one.harm.rows) for one in incidents] == [(1, WEEK_ROWS)]
    assert [(one.step, one.decision) for one in verdicts] == [(0, res.DECISION_PROMOTE)]
    assert (told["monitor.incident.v1"], told["monitor.verdict.v1"]) == (1, 1)
    coverage = await monitor.coverage()
    assert (coverage.labels_joined, coverage.labels_waiting) == (weeks * WEEK_ROWS, 0)
    assert coverage.joined == 2 * weeks * WEEK_ROWS
    assert monitor.end(signal.SIGTERM) == 0


WEEK_ROWS = 240


def _said_by_the_registry() -> list[Event]:
    """Version 1 answers, and had an AUC of 0.9; version 2 is on trial in the shadow."""
    baseline = {
        "features": [{"name": "x", "importance": 0.01, "edges": [0], "counts": [1, 1], "spread": 0.05}],
        "performance": {"auc": 0.9, "log_loss": 0.3},
    }
    made = registry_pb2.ModelVersionChanged(created={"model": "flights", "number": 1, "baseline": baseline})
    route = {"name": "main", "model": "flights", "weight": 1, "resolved_version": 1}
    put = registered_pb2.Endpoint(name=ENDPOINT, revision=1, routes=[route])
    put.rollout.id, put.rollout.model, put.rollout.state = "r1", "flights", registered_pb2.ROLLOUT_STATE_RUNNING
    put.rollout.candidate_version, put.rollout.baseline_version = 2, 1
    put.rollout.plan.steps.add(min_labels=300)
    changed = registry_pb2.EndpointChanged(put=put)
    said = {"registry.model-version.v1": made, "registry.endpoint.v1": changed}
    return [Event(topic, topic, "k", "t", "/registry", START, one.SerializeToString()) for topic, one in said.items()]


def _week(week: int) -> tuple[list[Event], ...]:
    """Predictions of a version that does badly and of a better one in its shadow, and labels, ten rows an event."""
    # Windows start on Thursdays, as 1970 did.
    moment = int((START + timedelta(days=2 + 7 * week)).timestamp()) * 1_000_000
    made: tuple[list[Event], ...] = ([], [], [])
    for first in range(0, WEEK_ROWS, 10):
        ids = [f"{week}-{row}" for row in range(first, first + 10)]
        for version, scores in ((1, [0.4, 0.6] * 5), (2, [0.9, 0.1] * 5)):
            batch = events_pb2.PredictionBatch(
                endpoint=ENDPOINT,
                model="flights",
                version=version,
                route="main" if version == 1 else "candidate",
                shadow=version == 2,
                prediction_ids=ids,
                event_times_us=[moment] * 10,
                outputs=[events_pb2.OutputColumn(name="probability", width=1, values=scores)],
            )
            event_id = f"{week}-{first}-{version}"
            made[version - 1].append(
                Event(event_id, TOPIC, ENDPOINT, "t", "/gateway", START, batch.SerializeToString())
            )
        truth = label_events_pb2.LabelBatch(
            endpoint=ENDPOINT, prediction_ids=ids, values=[1.0, 0.0] * 5, label_times_us=[moment + 1] * 10
        )
        made[2].append(Event(f"{week}-{first}", LABELS, ENDPOINT, "t", "/tower", START, truth.SerializeToString()))
    return made
