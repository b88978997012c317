"""Real services that fail, and are killed, at one failpoint after another while they work: each promise holds.

A scene has one service at work. At each of its ``errors`` it fails once and goes on; at each of its ``kills`` it dies
and is started again. What it promises is checked at the end, over all of that. A start costs a second, so ``kills`` are
the places where something is done and not yet known to be; ``scripts/faults`` kills at all of them, by chance.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import pytest

from slipway.client import (
    Aggregation,
    AggregationFunction,
    Artifact,
    ColumnSpec,
    DataType,
    Feature,
    FeatureView,
    Prediction,
    Route,
    RunState,
    Signature,
    TensorSpec,
    ValueType,
)
from slipway.errors import SlipwayError
from slipway.events import Record
from slipway.failpoints import NAMES, Name
from slipway.gen.slipway.features.v1 import events_pb2 as features_pb2
from slipway.gen.slipway.inference.v1 import events_pb2 as inference_pb2
from slipway.gen.slipway.monitor.v1 import events_pb2 as monitor_pb2
from slipway.gen.slipway.monitor.v1 import resources_pb2 as monitor_resources_pb2
from slipway.gen.slipway.registry.v1 import events_pb2 as registry_pb2
from slipway.gen.slipway.training.v1 import events_pb2 as training_pb2
from slipway.gen.slipway.training.v1 import resources_pb2 as training_resources_pb2
from slipway.supervisor.redis import find_redis
from tests.faults.scene import PASSING, PATIENCE_S, START, Scene, Service, event, play, served
from tests.prediction_log import batches

# Every service's: what it takes from the log, and how it keeps what it did.
COMMIT: tuple[Name, ...] = ("sql.commit.before", "sql.commit.after")
OUTBOX: tuple[Name, ...] = (
    "outbox.publish.before",
    "outbox.publish.after",
    "outbox.remove.before",
    "outbox.remove.after",
)
HANDLED: tuple[Name, ...] = (
    "events.handle.before",
    "events.handle.after",
    "events.commit.before",
    "events.commit.after",
)
CONSUMED: tuple[Name, ...] = ("inbox.claim.before", "inbox.claim.after", *HANDLED)
LETTERS: tuple[Name, ...] = ("events.dead_letter.before", "events.dead_letter.after")
LOG: tuple[Name, ...] = ("log.commit.before", "log.commit.after")


class Registering(Scene):
    errors = (*COMMIT, *OUTBOX, *CONSUMED, *LETTERS, *LOG, "artifacts.rename.before", "artifacts.rename.after")
    kills = (*COMMIT, "outbox.publish.after", "outbox.remove.after", "artifacts.rename.after")

    async def prepare(self) -> None:
        await self.client.registry.create_model("m", owner="dock")
        self.numbers: dict[int, int] = {}

    async def register(self, number: int) -> int:
        columns = (ColumnSpec("distance", DataType.FP32),)
        signature = Signature(columns, (TensorSpec("late", DataType.FP32, (-1, 1)),))
        stored: Artifact = await self.client.registry.upload_artifact(b"network %d" % number)
        made = await self.client.registry.register_version("m", stored, signature, request_id=f"r{number}")
        return made.number

    async def act(self) -> None:
        self.number += 1
        verdict = monitor_pb2.VerdictReached()
        verdict.verdict.endpoint, verdict.verdict.rollout_id = "none", "r"
        verdict.verdict.decision = monitor_resources_pb2.DECISION_PROMOTE
        topic = "monitor.verdict.v1"
        await self.publish(
            event(f"v{self.number}", topic, verdict.SerializeToString()), event(f"junk{self.number}", topic, b"junk")
        )
        self.numbers[self.number] = await self.register(self.number)

    async def check(self) -> None:
        for number in range(1, self.number + 1):
            assert self.numbers.setdefault(number, made := await self.register(number)) == made
        wanted = list(range(1, self.number + 1))
        assert sorted(self.numbers.values()) == wanted
        records = await self.arrived("registry.model-version.v1", lambda _: True, self.number)
        changes = [registry_pb2.ModelVersionChanged.FromString(one.event.value) for one in records]
        assert [one.created.number for one in changes] == wanted
        await self.set_aside_once("monitor.verdict.v1", "registry", [f"junk{number}" for number in wanted])


class Monitoring(Scene):
    errors = (*COMMIT, *CONSUMED, *LETTERS, *LOG)
    kills = ("inbox.claim.after", "events.handle.after", "events.commit.after", "events.dead_letter.after")
    topic = "inference.predictions.v1"

    async def prepare(self) -> None:
        baseline = {"features": [{"name": "x", "importance": 0.01, "edges": [0], "counts": [1, 1], "spread": 0.05}]}
        made = registry_pb2.ModelVersionChanged(created={"model": "m", "number": 1, "baseline": baseline})
        await self.publish(event("m1", "registry.model-version.v1", made.SerializeToString()))

    async def act(self) -> None:
        self.number += 1
        moment = int((START + timedelta(hours=self.number)).timestamp()) * 1_000_000
        batch = inference_pb2.PredictionBatch(
            endpoint="late",
            model="m",
            version=1,
            route="main",
            prediction_ids=[f"{self.number}-{row}" for row in range(3)],
            event_times_us=[moment] * 3,
            outputs=[inference_pb2.OutputColumn(name="probability", width=1, values=[0.25] * 3)],
        )
        name = f"e{self.number}"
        await self.publish(
            event(name, self.topic, batch.SerializeToString()), event(f"junk-{name}", self.topic, b"junk")
        )
        await self.client.monitor.count("late")

    async def check(self) -> None:
        letters = [f"junk-e{number}" for number in range(1, self.number + 1)]
        await self.set_aside_once(self.topic, "monitor", letters)
        # Behind all others: what could still be counted twice stands before it.
        await self.act()
        while (counted := (await self.client.monitor.count("late")).predictions) < 3 * self.number:
            pass
        assert counted == 3 * self.number


VIEWS = (
    FeatureView("planes", "fleet", ("number",), (Feature("last", ValueType.INT64),)),
    FeatureView(
        "flights",
        "fleet",
        ("number",),
        (Feature("flown", ValueType.INT64),),
        aggregations=(Aggregation("flown", "delay", AggregationFunction.COUNT, timedelta(days=7)),),
        hop=timedelta(minutes=1),
    ),
)


class Serving(Scene):
    """Each act is a minute of one plane."""

    errors = (*COMMIT, *CONSUMED, *LETTERS, *LOG, "online.write.before", "online.write.after")
    kills = ("online.write.after", *COMMIT)
    topic = "features.rows.v1"

    async def prepare(self) -> None:
        await self.client.features.apply(VIEWS)

    async def act(self) -> None:
        self.number += 1
        moment = int((START + timedelta(minutes=self.number)).timestamp()) * 1_000_000
        key = [{"name": "number", "int64s": {"values": [7]}}]
        last = features_pb2.FeatureRows(
            view="planes",
            entities=key,
            features=[{"name": "last", "int64s": {"values": [self.number]}}],
            event_times_us=[moment],
        )
        flown = features_pb2.FeatureRows(
            view="flights",
            entities=key,
            features=[{"name": "delay", "doubles": {"values": [1.0]}}],
            event_times_us=[moment],
            complete_until_us=moment + 60_000_000,
        )
        await self.publish(
            event(f"last{self.number}", self.topic, last.SerializeToString()),
            event(f"flown{self.number}", self.topic, flown.SerializeToString()),
            event(f"junk{self.number}", self.topic, b"junk"),
        )
        await self.client.features.get_online(["planes:last"], [{"number": 7}])

    async def check(self) -> None:
        end = START + timedelta(minutes=self.number + 1)
        await self.client.features.await_watermarks(["flights"], end, timeout_s=PATIENCE_S)
        found = await self.client.features.get_online(["planes:last", "flights:flown"], [{"number": 7}])
        assert found["planes:last"].values == (self.number,)
        assert found["flights:flown"].values == (self.number,)
        letters = [f"junk{number}" for number in range(1, self.number + 1)]
        await self.set_aside_once(self.topic, "feature_serving", letters)


class Training(Scene):
    attempts: tuple[Name, ...] = ("attempt.begin.before", "attempt.begin.after", "attempt.end.before")
    errors = (*COMMIT, *OUTBOX, *LOG, *attempts, "attempt.end.after", "artifacts.rename.before")
    kills = ("sql.commit.after", "attempt.begin.after", "attempt.end.before", "attempt.end.after")

    async def prepare(self) -> None:
        self.runs: dict[int, str] = {}

    async def act(self) -> None:
        self.number += 1
        number = self.number
        self.runs[number] = (await self.client.training.submit("quick", request_id=f"k{number}")).id
        await self.client.training.wait(self.runs[number], timeout_s=PATIENCE_S)

    async def check(self) -> None:
        for number in range(1, self.number + 1):
            run = await self.client.training.submit("quick", request_id=f"k{number}")
            assert self.runs.setdefault(number, run.id) == run.id
            assert (await self.client.training.wait(run.id, timeout_s=PATIENCE_S)).state is RunState.SUCCEEDED
        told: dict[str, list[str]] = {}
        for one in await self.arrived("training.run.v1", lambda _: True, 3 * self.number):
            run_changed = training_pb2.RunChanged.FromString(one.event.value).run
            state = training_resources_pb2.RunState.Name(run_changed.state)
            told.setdefault(run_changed.id, []).append(state.removeprefix("RUN_STATE_"))
        assert told == {run: ["QUEUED", "RUNNING", "SUCCEEDED"] for run in self.runs.values()}


def own_rows(record: Record) -> list[str]:
    """The ids that calls asked under, of an event of the prediction log; those of requests by event are no numbers."""
    return [row for batch in batches([record.event.value]) for row in batch.prediction_ids if row.isdecimal()]


class Predicting(Scene):
    spool: tuple[Name, ...] = ("spool.append.before", "spool.append.after", "spool.sync.before", "spool.sync.after")
    kept: tuple[Name, ...] = (
        "spool.checkpoint.before",
        "spool.checkpoint.after",
        "durable.rename.before",
        "durable.rename.after",
    )
    published: tuple[Name, ...] = ("events.publish.before", "events.publish.after")
    snapshot: tuple[Name, ...] = ("snapshot.store.before", "snapshot.store.after")
    errors = (*spool, *kept, *published, *snapshot, *LOG, *HANDLED, *LETTERS)
    kills = ("spool.append.after", "spool.checkpoint.after", "events.publish.after", "events.commit.before")
    topic = "inference.predictions.v1"
    requests = "inference.requests.v1"

    async def prepare(self) -> None:
        self.answers: dict[str, list[Prediction]] = {}
        while not [one for one in await self.client.inference.endpoints() if one.routes[0].worker_pid]:
            pass

    async def ask(self, name: str) -> None:
        answers = await self.client.inference.predict("late", [{"a": 1.0, "b": float(name)}], prediction_ids=[name])
        self.answers.setdefault(name, []).extend(answers)

    async def answered(self, name: str) -> bool:
        try:
            await self.ask(name)
        except SlipwayError as error:
            if error.kind not in PASSING:
                raise
            return False
        return True

    async def act(self) -> None:
        self.number += 1
        # A new revision, for the gateway to keep in its snapshot.
        await self.client.registry.put_endpoint("late", [Route("main", "m", version=1, weight=self.number)])
        row = {"features": [{"name": name, "doubles": {"values": [self.number]}} for name in "ab"]}
        asked = inference_pb2.PredictionRequested(request={"endpoint": "late", **row})
        await self.publish(
            event(f"asked{self.number}", self.requests, asked.SerializeToString()),
            event(f"junk{self.number}", self.requests, b"junk"),
        )
        await self.ask(str(self.number))

    async def check(self) -> None:
        for number in range(1, self.number + 1):
            while not await self.answered(str(number)):
                pass
        for first, *others in self.answers.values():
            assert [(one.outputs, one.version) for one in others] == [(first.outputs, first.version)] * len(others)
        responses = await self.arrived("inference.responses.v1", lambda _: True, self.number)
        told = [inference_pb2.PredictionAnswered.FromString(one.event.value) for one in responses]
        # What one partition holds comes in its order, and what was answered again is the same response.
        assert [one.request_id for one in told] == [f"asked{number}" for number in range(1, self.number + 1)]
        assert [one.response.predictions[0].outputs[0].values[0] for one in told] == [
            2.0 * number for number in range(1, self.number + 1)
        ]
        letters = [f"junk{number}" for number in range(1, self.number + 1)]
        await self.set_aside_once(self.requests, "inference_gateway", letters)
        # What the spool holds is shipped before it ends.
        assert await self.service.stop() == 0
        records = await self.arrived(self.topic, lambda one: len(own_rows(one)), self.number)
        assert len({one.event.id for one in records}) == len(records)
        rows = Counter(row for one in records for row in own_rows(one))
        assert rows == Counter({str(number): 1 for number in range(1, self.number + 1)})
        await self.service.start()


@pytest.mark.parametrize(
    ("kind", "command", "area"),
    [(Registering, "slipway-registry", "REGISTRY"), (Monitoring, "slipway-monitor", "MONITOR")],
)
async def test_what_keeps_tables_and_reads_the_log(tmp_path: Path, kind: type[Scene], command: str, area: str) -> None:
    service = Service(tmp_path, command, area, arguments=("--migrate",))
    async with served(service) as connect:
        await play(kind, service, connect)


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[str]:
    """The URL of a server of the test's own."""
    store = tmp_path / "redis.sock"
    command = [find_redis(), "--port", "0", "--unixsocket", str(store), "--dir", str(tmp_path), "--save", ""]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        yield f"unix://{store}"
        process.kill()


async def test_what_writes_to_the_online_store(tmp_path: Path, redis: str) -> None:
    environment = {"SLIPWAY_REDIS": redis}
    service = Service(tmp_path, "slipway-features", "FEATURE_SERVING", environment, ("--migrate",))
    async with served(service) as connect:
        await play(Serving, service, connect)


async def test_what_runs_steps(tmp_path: Path) -> None:
    config = tmp_path / "training.toml"
    workflows = json.dumps(str(Path(__file__).parent / "workflows"))
    config.write_text(
        f'workflow_modules = ["gated_workflow"]\nworkflow_path = [{workflows}]\nretry_wait_s = 0\nmax_attempts = 100\n'
    )
    arguments = ("--migrate", "--config", str(config))
    environment = {"SLIPWAY_RAY_ADDRESS": ""}
    service = Service(tmp_path, "slipway-training", "TRAINING_SCHEDULER", environment, arguments)
    async with served(service) as connect:
        await play(Training, service, connect)


async def test_what_answers_and_ships_its_log(tmp_path: Path, onnx_models: ModuleType) -> None:
    registry = Service(tmp_path, "slipway-registry", "REGISTRY", arguments=("--migrate",))
    config = tmp_path / "gateway.toml"
    config.write_text("[spool]\nsync_interval_s = 0.05\n[requests]\npatience_s = 60\n")
    environment = {"SLIPWAY_REGISTRY_ADDRESS": registry.address}
    gateway = Service(tmp_path, "slipway-gateway", "INFERENCE_GATEWAY", environment, ("--config", str(config)))
    async with served(registry, gateway) as connect:
        async with connect() as client:
            await client.registry.create_model("m", owner="dock")
            columns = (ColumnSpec("a", DataType.FP32), ColumnSpec("b", DataType.FP32))
            signature = Signature(columns, (TensorSpec("y", DataType.FP32, (-1, 1)),))
            stored = await client.registry.upload_artifact(onnx_models.add())
            await client.registry.register_version("m", stored, signature)
            await client.registry.put_endpoint("late", [Route("main", "m", version=1)])
        await play(Predicting, gateway, connect)
        assert await registry.stop() == 0


@pytest.mark.parametrize("name", ["sql.migrate.before", "sql.migrate.after"])
def test_a_migration_is_whole_or_not_at_all(tmp_path: Path, name: Name) -> None:
    command = [str(Path(sys.executable).with_name("slipway-registry")), "migrate", "--json"]
    environment = {**os.environ, "SLIPWAY_DATA": str(tmp_path), "SLIPWAY_REGISTRY_DATABASE": ""}
    armed_too = {**environment, "SLIPWAY_FAILPOINTS": f"{name}=kill"}
    assert subprocess.run(command, env=armed_too, check=False).returncode == -signal.SIGKILL
    told = subprocess.run(command, env=environment, check=True, capture_output=True)
    assert bool(json.loads(told.stdout)["applied"]) == (name == "sql.migrate.before")


def test_no_failpoint_is_without_a_test() -> None:
    files = (
        "durable.",
        "download.",
        "supervisor.",
        "snapshot.",
        "disabled.",
        "artifacts.",
        "spool.",
        "values.",
        "sql.migrate.",
    )
    met = {name for scene in (Registering, Monitoring, Serving, Training, Predicting) for name in scene.errors}
    assert met | {name for name in NAMES if name.startswith(files)} == set(NAMES)
