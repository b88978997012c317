"""Real services that fail, and are killed, at one failpoint after another while they work: each promise holds.

A scene has one service at work. At each of its ``errors`` it fails once and goes on; at each of its ``kills`` it dies
and is started again. What it promises is checked at the end, over all of that.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import ClassVar

import grpc.aio
import pytest

from slipway.client import (
    Aggregation,
    AggregationFunction,
    Artifact,
    AsyncSlipway,
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
from slipway.errors import Kind, SlipwayError
from slipway.events import Event, EventLog, Record, dead_letter_topic
from slipway.events.connect import open_log
from slipway.failpoints import NAMES, Name, arm, armed
from slipway.gen.slipway.features.v1 import events_pb2 as features_pb2
from slipway.gen.slipway.inference.v1 import events_pb2 as inference_pb2
from slipway.gen.slipway.monitor.v1 import events_pb2 as monitor_pb2
from slipway.gen.slipway.monitor.v1 import resources_pb2 as monitor_resources_pb2
from slipway.gen.slipway.registry.v1 import events_pb2 as registry_pb2
from slipway.gen.slipway.training.v1 import events_pb2 as training_pb2
from slipway.gen.slipway.training.v1 import resources_pb2 as training_resources_pb2
from slipway.supervisor.ports import free_port
from slipway.supervisor.redis import find_redis

PATIENCE_S = 60.0
BEHIND_S = 0.05
START = datetime(2013, 1, 1, tzinfo=UTC)
# A gateway that has just started may not have loaded what it serves.
PASSING = {Kind.UNAVAILABLE, Kind.RESOURCE_EXHAUSTED, Kind.DEADLINE_EXCEEDED, Kind.NOT_FOUND}
# It is tried while the process still starts.
SOON = [(f"grpc.{name}_reconnect_backoff_ms", 50) for name in ("initial", "min", "max")]
# Every service's: what it takes from the log, and how it keeps what it did.
COMMIT: tuple[Name, ...] = ("sql.commit.before", "sql.commit.after")
OUTBOX: tuple[Name, ...] = (
    "outbox.publish.before",
    "outbox.publish.after",
    "outbox.remove.before",
    "outbox.remove.after",
)
CONSUMED: tuple[Name, ...] = (
    "inbox.claim.before",
    "inbox.claim.after",
    "events.handle.before",
    "events.handle.after",
    "events.commit.before",
    "events.commit.after",
)
LETTERS: tuple[Name, ...] = ("events.dead_letter.before", "events.dead_letter.after")
LOG: tuple[Name, ...] = ("log.commit.before", "log.commit.after")


@dataclass
class Service:
    """A real service on a data folder, whose failpoints a file arms."""

    folder: Path
    command: str
    area: str
    environment: dict[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    starts: int = 0

    def __post_init__(self) -> None:
        self.address = f"127.0.0.1:{free_port()}"
        self.failpoints = self.folder / f"failpoints-{self.command}"
        self._log = (self.folder / f"{self.command}.log").open("ab")
        self._environment = {
            **os.environ,
            "SLIPWAY_DATA": str(self.folder),
            "SLIPWAY_EVENTS": f"sqlite:///{self.folder / 'log.db'}",
            "SLIPWAY_FAILPOINTS_FILE": str(self.failpoints),
            f"SLIPWAY_{self.area}_DATABASE": "",
            f"SLIPWAY_{self.area}_GRPC_LISTEN": self.address,
            f"SLIPWAY_{self.area}_HTTP_LISTEN": "127.0.0.1:0",
            f"SLIPWAY_{self.area}_METRICS_LISTEN": "127.0.0.1:0",
            **self.environment,
        }
        self._process: asyncio.subprocess.Process | None = None

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start it and return when it serves."""
        command = [str(Path(sys.executable).with_name(self.command)), "serve", *self.arguments]
        self._process = await asyncio.create_subprocess_exec(*command, env=self._environment, stderr=self._log)
        self.starts += 1
        async with grpc.aio.insecure_channel(self.address, options=SOON) as channel:
            check = channel.unary_unary("/grpc.health.v1.Health/Check", lambda data: data, lambda data: data)
            # Serving is field 1, value 1.
            while await check(b"", wait_for_ready=True, timeout=PATIENCE_S) != b"\x08\x01":
                pass

    async def wait(self, seconds: float = PATIENCE_S) -> int | None:
        """Its exit status; None while it lives on."""
        assert self._process is not None
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                return await self._process.wait()
        return None

    async def stop(self) -> int | None:
        """Let it drain; its exit status."""
        assert self._process is not None
        self._process.terminate()
        return await self.wait()

    async def close(self) -> None:
        if self._process is not None and self.alive:
            self._process.kill()
            await self.wait()
        self._log.close()


class Scene:
    """A service at work: ``act`` has it do everything once, ``check`` holds it to its promise."""

    errors: ClassVar[Sequence[Name]]
    kills: ClassVar[Sequence[Name]]

    client: AsyncSlipway

    def __init__(self, service: Service, connect: Callable[[], AsyncSlipway], log: EventLog) -> None:
        self.service = service
        self.log = log
        self.number = 0
        self._connect = connect

    async def using(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do some work by a client of its own: one that saw the process die would wait before it tries again."""
        async with self._connect() as self.client:
            await work()

    async def prepare(self) -> None:
        """What must be there first."""

    async def act(self) -> None:
        """One of everything. Raises SlipwayError; what was asked may have been done all the same."""
        raise NotImplementedError

    async def check(self) -> None:
        """Wait until all is through, and compare."""
        raise NotImplementedError

    async def publish(self, *events: Event) -> None:
        await self.log.publisher().publish(events)

    async def arrived(self, topic: str, counts: Callable[[Record], bool], wanted: int) -> list[Record]:
        """The topic's records up to the ``wanted``-th that counts, and what comes in a moment after it."""
        async with self.log.consumer([topic], "test") as consumer:
            records: list[Record] = []
            while (found := sum(map(counts, records))) < wanted:
                some = await consumer.poll(500, PATIENCE_S)
                assert some, f"{found} of {wanted} events on {topic}"
                records += some
            return [*records, *await consumer.poll(500, 0.2)]

    async def set_aside_once(self, topic: str, group: str, ids: Sequence[str]) -> None:
        """Hold the dead letters to these, each once."""
        letters = await self.arrived(dead_letter_topic(topic, group), lambda _: True, len(ids))
        assert Counter(one.event.id for one in letters) == Counter(ids)


def event(identity: str, topic: str, value: bytes) -> Event:
    return Event(identity, topic, topic, "t", "/test", START, value)


class Registering(Scene):
    errors = (*COMMIT, *OUTBOX, *CONSUMED, *LETTERS, *LOG, "artifacts.rename.before", "artifacts.rename.after")
    kills = (*COMMIT, "outbox.publish.before", "outbox.publish.after", "outbox.remove.after", "artifacts.rename.after")

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
    kills = ("inbox.claim.after", "events.handle.before", "events.handle.after", "events.commit.after", *LETTERS)
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
    kills = ("online.write.before", "online.write.after", *COMMIT)
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
    kills = ("sql.commit.after", *attempts, "attempt.end.after", "artifacts.rename.after")

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
    errors = (*spool, *kept, *published, *snapshot, *LOG)
    kills = ("spool.append.before", "spool.append.after", "spool.checkpoint.after", "events.publish.after")
    topic = "inference.predictions.v1"

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
        await self.ask(str(self.number))

    async def check(self) -> None:
        for number in range(1, self.number + 1):
            while not await self.answered(str(number)):
                pass
        for first, *others in self.answers.values():
            assert [(one.outputs, one.version) for one in others] == [(first.outputs, first.version)] * len(others)
        # What the spool holds is shipped before it ends.
        assert await self.service.stop() == 0
        records = await self.arrived(self.topic, lambda _: True, self.number)
        assert len({one.event.id for one in records}) == len(records)
        batches = [inference_pb2.PredictionBatch.FromString(one.event.value) for one in records]
        rows = Counter(row for batch in batches for row in batch.prediction_ids)
        assert rows == Counter({str(number): 1 for number in range(1, self.number + 1)})
        await self.service.start()


async def weather(scene: Scene) -> None:
    """Fail once at each of its errors, die at each of its kills."""
    service = scene.service
    for name in scene.errors:
        arm(service.failpoints, f"{name}=error*1")
        while armed(service.failpoints):
            await _act(scene)
        assert service.alive
    for name in scene.kills:
        arm(service.failpoints, f"{name}=kill")
        while service.alive:
            await _act(scene)
        assert await service.wait() == -signal.SIGKILL
        assert armed(service.failpoints) == ()
        await service.start()
    assert service.starts == 1 + len(scene.kills)


async def _act(scene: Scene) -> None:
    try:
        await scene.using(scene.act)
    except SlipwayError as error:
        if error.kind not in PASSING:
            raise
    # What it has taken on goes on behind the answer, and may be what it dies of.
    await scene.service.wait(BEHIND_S)


@asynccontextmanager
async def served(*services: Service) -> AsyncIterator[Callable[[], AsyncSlipway]]:
    """Clients of services that run until left."""
    areas = {"REGISTRY": "registry", "MONITOR": "monitor", "FEATURE_SERVING": "features"}
    areas |= {"TRAINING_SCHEDULER": "training", "INFERENCE_GATEWAY": "gateway"}
    addresses = {areas[one.area]: one.address for one in services}
    try:
        for one in services:
            await one.start()
        yield lambda: AsyncSlipway(timeout_s=10.0, **addresses)
    finally:
        for one in reversed(services):
            await one.close()


async def play(kind: type[Scene], service: Service, connect: Callable[[], AsyncSlipway]) -> None:
    async with open_log(f"sqlite:///{service.folder / 'log.db'}") as log:
        scene = kind(service, connect, log)
        await scene.using(scene.prepare)
        await weather(scene)
        await scene.using(scene.check)
    assert await service.stop() == 0
    told = (service.folder / f"{service.command}.log").read_text(encoding="utf-8", errors="replace")
    assert told.count("this process may fail on purpose") == service.starts


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
    config.write_text("[spool]\nsync_interval_s = 0.05\n")
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
    files = ("durable.", "download.", "supervisor.", "snapshot.", "disabled.", "artifacts.", "spool.", "sql.migrate.")
    met = {name for scene in (Registering, Monitoring, Serving, Training, Predicting) for name in scene.errors}
    assert met | {name for name in NAMES if name.startswith(files)} == set(NAMES)
