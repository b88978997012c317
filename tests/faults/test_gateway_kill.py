"""kill -9 of the gateway, its worker and the registry while predictions flow: each answer is logged, and once."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from types import ModuleType

import pytest

from slipway.client import AsyncSlipway, ColumnSpec, DataType, Prediction, Route, Signature, TensorSpec
from slipway.errors import Kind, SlipwayError
from slipway.events.connect import open_log
from slipway.supervisor.ports import free_port
from tests.prediction_log import batches

TOPIC = "inference.predictions.v1"
ENDPOINT = "late"
CALLERS = 6
ROUNDS = 2
PATIENCE_S = 60.0
PAUSE_S = 0.01  # between looks, which would keep a core from those that are waited for
AREAS = {"registry": "REGISTRY", "gateway": "INFERENCE_GATEWAY", "monitor": "MONITOR"}


class Fleet:
    """Real services on one folder and ports of their own; each may be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.events = f"sqlite:///{folder / 'log.db'}"
        self.ports = {name: free_port() for name in AREAS}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._files = ExitStack()
        self._stderr = self._files.enter_context((folder / "stderr").open("ab"))
        self._environment = {**os.environ, "SLIPWAY_DATA": str(folder), "SLIPWAY_EVENTS": self.events}
        for name, area in AREAS.items():
            self._environment[f"SLIPWAY_{area}_ADDRESS"] = f"127.0.0.1:{self.ports[name]}"
            self._environment[f"SLIPWAY_{area}_GRPC_LISTEN"] = f"127.0.0.1:{self.ports[name]}"
            self._environment[f"SLIPWAY_{area}_METRICS_LISTEN"] = "127.0.0.1:0"
        self._environment["SLIPWAY_INFERENCE_GATEWAY_HTTP_LISTEN"] = "127.0.0.1:0"

    def migrate(self, name: str) -> None:
        subprocess.run([_command(name), "migrate"], env=self._environment, check=True, capture_output=True)

    def start(self, name: str) -> None:
        command = [_command(name), "serve"]
        self._processes[name] = subprocess.Popen(command, env=self._environment, stderr=self._stderr)

    def kill(self, name: str) -> None:
        process = self._processes.pop(name)
        process.kill()
        process.wait(30)

    def end(self, name: str) -> int:
        process = self._processes.pop(name)
        process.terminate()
        return process.wait(30)

    def close(self) -> None:
        for name in list(self._processes):
            self.kill(name)
        self._files.close()

    def client(self) -> AsyncSlipway:
        address = {name: f"127.0.0.1:{port}" for name, port in self.ports.items()}
        return AsyncSlipway(timeout_s=10.0, **address)


def _command(name: str) -> str:
    return str(Path(sys.executable).with_name(f"slipway-{name}"))


class Load:
    """Callers that ask without a pause; those with an id ask again under it until they are answered."""

    def __init__(self, client: AsyncSlipway, seed: int) -> None:
        self.answers: list[Prediction] = []
        self.asked_again = 0
        self._client = client
        self._dice = random.Random(seed)  # noqa: S311
        self._going = True
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Load:
        self._tasks = [asyncio.create_task(self._call(number)) for number in range(CALLERS)]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._going = False
        await asyncio.gather(*self._tasks)

    async def more(self, count: int) -> None:
        """Return when so many more rows were answered."""
        until = len(self.answers) + count
        while len(self.answers) < until:
            for task in self._tasks:
                if task.done():
                    task.result()
            await asyncio.sleep(PAUSE_S)

    async def _call(self, caller: int) -> None:
        request = 0
        while self._going:
            request += 1
            rows = [{"a": float(caller), "b": float(request)} for _ in range(self._dice.randint(1, 4))]
            if caller % 2:
                await self._ask_until_answered(
                    rows, [f"{id(self)}-{caller}-{request}-{row}" for row in range(len(rows))]
                )
            else:
                try:
                    self.answers += await self._client.inference.predict(ENDPOINT, rows)
                except SlipwayError:
                    await asyncio.sleep(PAUSE_S)

    async def _ask_until_answered(self, rows: list[dict[str, float]], ids: list[str]) -> None:
        tries = 1 if self._dice.random() < 0.8 else 2
        while tries:
            try:
                self.answers += await self._client.inference.predict(ENDPOINT, rows, prediction_ids=ids)
                tries -= 1
            except SlipwayError as error:
                # After a restart the port may answer before the version is loaded.
                if error.kind not in {Kind.UNAVAILABLE, Kind.DEADLINE_EXCEEDED, Kind.NOT_FOUND}:
                    raise
                self.asked_again += 1
                await asyncio.sleep(PAUSE_S)


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    fleet = Fleet(tmp_path)
    yield fleet
    fleet.close()


async def register(client: AsyncSlipway, model: bytes) -> None:
    registry = client.registry
    while True:
        try:
            await registry.create_model("m", owner="dock")
            break
        except SlipwayError as error:
            if error.kind is not Kind.UNAVAILABLE:
                raise
            await asyncio.sleep(PAUSE_S)
    columns = (ColumnSpec("a", DataType.FP32), ColumnSpec("b", DataType.FP32))
    signature = Signature(columns, (TensorSpec("y", DataType.FP32, (-1, 1)),))
    version = await registry.register_version("m", await registry.upload_artifact(model), signature)
    await registry.put_endpoint(ENDPOINT, [Route("main", "m", version=version.number)])


async def worker_of(client: AsyncSlipway) -> int:
    """The worker's process id, as soon as one answers."""
    while True:
        with suppress(SlipwayError):
            for endpoint in await client.inference.endpoints():
                if pid := endpoint.routes[0].worker_pid:
                    return pid
        await asyncio.sleep(PAUSE_S)


async def disturb(fleet: Fleet, client: AsyncSlipway, load: Load, dice: random.Random) -> None:
    """Kill each of them once, in any order, in the middle of things."""
    victims = ["gateway", "worker", "registry"]
    dice.shuffle(victims)
    for victim in victims:
        await load.more(dice.randint(20, 120))
        if victim == "worker":
            pid = await worker_of(client)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            continue
        fleet.kill(victim)
        if victim == "registry":
            await load.more(dice.randint(10, 60))
        fleet.start(victim)


async def logged(fleet: Fleet) -> tuple[list[str], list[str]]:
    """The ids of all events, and of all predictions in them."""
    async with open_log(fleet.events) as log:
        records = [one async for one in _all(log)]
    found = batches(one.event.value for one in records)
    return [one.event.id for one in records], [row for batch in found for row in batch.prediction_ids]


async def _all(log):  # type: ignore[no-untyped-def]
    offset = 0
    while records := await log.read(TOPIC, offset, 1000):
        for one in records:
            yield one
        offset = records[-1].offset + 1


async def test_whoever_is_killed_every_answer_is_logged_and_counted_once(fleet: Fleet, onnx_models: ModuleType) -> None:
    for name in ("registry", "monitor"):
        fleet.migrate(name)
    for name in AREAS:
        fleet.start(name)
    answers: list[Prediction] = []
    async with asyncio.timeout(4 * PATIENCE_S), fleet.client() as client:
        await register(client, onnx_models.add())
        await worker_of(client)
        for seed in range(ROUNDS):
            async with Load(client, seed) as load:
                await disturb(fleet, client, load, random.Random(seed))  # noqa: S311
                await load.more(50)
            assert load.asked_again
            answers += load.answers
        assert fleet.end("gateway") == 0
        events, rows = await logged(fleet)
        while (counted := (await client.monitor.count(ENDPOINT)).predictions) < len(rows):
            await asyncio.sleep(PAUSE_S)
    assert counted == len(rows)
    assert len(set(events)) == len(events)
    counts = Counter(rows)
    assert [one for one, count in counts.items() if count > 1] == []
    assert [one.prediction_id for one in answers if one.prediction_id not in counts] == []
    told: dict[str, object] = {}
    for one in answers:
        assert told.setdefault(one.prediction_id, (one.outputs, one.version)) == (one.outputs, one.version)
    assert any(one.replayed for one in answers)
