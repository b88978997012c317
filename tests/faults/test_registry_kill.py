"""kill -9 of a registry that is being written to: what was acknowledged is there, once, and so are its events."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc.aio
import pytest

from slipway.client import (
    Artifact,
    AsyncSlipway,
    ColumnSpec,
    DataType,
    Endpoint,
    ModelVersion,
    Route,
    Signature,
    TensorSpec,
)
from slipway.errors import Kind, SlipwayError
from slipway.events import Record
from slipway.events.connect import open_log
from slipway.gen.slipway.registry.v1 import events_pb2
from slipway.supervisor.ports import free_port

COMMAND = Path(sys.executable).with_name("slipway-registry")
PATIENCE_S = 60.0
CLIENTS = 4
WRITES_A_ROUND = 45
ROUNDS = 3
SIGNATURE = Signature((ColumnSpec("distance", DataType.FP32),), (TensorSpec("late", DataType.FP32, (-1, 1)),))


def free_address() -> str:
    return f"127.0.0.1:{free_port()}"


@dataclass
class Registry:
    """One data folder and address, and the process that serves them now."""

    folder: Path
    address: str = field(default_factory=free_address)

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {
            "SLIPWAY_DATA": str(self.folder),
            "SLIPWAY_EVENTS": self.events,
            "SLIPWAY_REGISTRY_DATABASE": "",
            "SLIPWAY_REGISTRY_GRPC_LISTEN": self.address,
            "SLIPWAY_REGISTRY_METRICS_LISTEN": "127.0.0.1:0",
        }

    @property
    def events(self) -> str:
        return f"sqlite:///{self.folder}/events/log.db"

    async def start(self, verb: str) -> asyncio.subprocess.Process:
        with (self.folder / "registry.log").open("ab") as log:
            return await asyncio.create_subprocess_exec(COMMAND, verb, env=self.environment, stdout=log, stderr=log)

    async def migrate(self) -> None:
        assert await (await self.start("migrate")).wait() == 0

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[asyncio.subprocess.Process]:
        """The process, once it serves; ended by SIGTERM and code 0 unless the test has killed it."""
        process = await self.start("serve")
        try:
            async with grpc.aio.insecure_channel(self.address) as channel:
                check = channel.unary_unary("/grpc.health.v1.Health/Check", lambda data: data, lambda data: data)
                await check(b"", wait_for_ready=True, timeout=PATIENCE_S)
            yield process
            if process.returncode is None:
                process.terminate()
                assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


@dataclass
class Story:
    """What clients asked for and what they were told."""

    artifact: Artifact
    numbers: dict[str, int] = field(default_factory=dict)  # request id -> version, as acknowledged
    asked: dict[str, str] = field(default_factory=dict)  # request id -> model
    aliases: dict[str, int] = field(default_factory=dict)  # client -> the version last acknowledged
    aimed: dict[str, int] = field(default_factory=dict)  # client -> the version last asked for
    weights: dict[str, int] = field(default_factory=dict)  # endpoint -> the weight last acknowledged
    weighed: dict[str, int] = field(default_factory=dict)  # endpoint -> the weight last asked for
    acknowledged: int = 0
    enough: asyncio.Event = field(default_factory=asyncio.Event)
    wanted: int = 0

    def tell(self) -> None:
        self.acknowledged += 1
        if self.acknowledged >= self.wanted:
            self.enough.set()


async def register(slipway: AsyncSlipway, story: Story, request: str) -> ModelVersion:
    return await slipway.registry.register_version(
        story.asked[request], story.artifact, SIGNATURE, params={"request": request}, request_id=request
    )


async def write(registry: Registry, story: Story, client: int, first: int) -> None:
    """Register, move the client's alias, put its endpoint, again and again until the registry is gone."""
    name, model = f"client{client}", f"m{client % 2}"
    async with AsyncSlipway(registry=registry.address) as slipway:
        for turn in range(first, first + 10_000):
            try:
                request = f"{name}-{turn}"
                story.asked[request] = model
                number = (await register(slipway, story, request)).number
                story.numbers[request] = number
                story.tell()
                story.aimed[name] = number
                await slipway.registry.set_alias(model, name, number)
                story.aliases[name] = number
                story.tell()
                story.weighed[name] = turn % 9_999 + 1
                await slipway.registry.put_endpoint(
                    name, [Route("main", model, alias=name, weight=story.weighed[name])]
                )
                story.weights[name] = story.weighed[name]
                story.tell()
            except SlipwayError as error:
                if error.kind not in {Kind.UNAVAILABLE, Kind.DEADLINE_EXCEEDED}:
                    raise
                return


async def seeded(registry: Registry) -> Story:
    async with AsyncSlipway(registry=registry.address) as slipway:
        for model in ("m0", "m1"):
            await slipway.registry.create_model(model, owner="dock")
        return Story(await slipway.registry.upload_artifact(b"network"))


async def events_of(registry: Registry, topic: str, counts: Callable[[Record], bool], wanted: int) -> list[Record]:
    """The topic's records up to the ``wanted``-th of those that count, and whatever comes in a moment after it."""
    async with open_log(registry.events) as log, log.consumer([topic], "test") as consumer:
        records: list[Record] = []
        while (found := sum(map(counts, records))) < wanted:
            some = await consumer.poll(500, PATIENCE_S)
            assert some, f"{found} of {wanted} events on {topic}"
            records += some
        return [*records, *await consumer.poll(500, 1.0)]


@pytest.fixture
async def registry(tmp_path: Path) -> Registry:
    registry = Registry(tmp_path)
    await registry.migrate()
    return registry


async def killed_while_written_to(registry: Registry) -> Story:
    """Rounds of writing, each ended by kill -9 in the middle of it."""
    story: Story | None = None
    for turn in range(ROUNDS):
        async with registry.serving() as process:
            story = story or await seeded(registry)
            story.enough.clear()
            story.wanted = story.acknowledged + WRITES_A_ROUND
            async with asyncio.TaskGroup() as group:
                for client in range(CLIENTS):
                    group.create_task(write(registry, story, client, turn * 10_000))
                await asyncio.wait_for(story.enough.wait(), PATIENCE_S)
                process.kill()
                assert await process.wait() == -signal.SIGKILL
    assert story is not None
    return story


async def test_what_was_acknowledged_survives_and_every_event_comes_once(registry: Registry) -> None:
    story = await killed_while_written_to(registry)
    async with registry.serving(), AsyncSlipway(registry=registry.address) as slipway:
        # Whoever got no answer asks again; whoever got one gets the same.
        for request in story.asked:
            number = (await register(slipway, story, request)).number
            assert story.numbers.setdefault(request, number) == number
        stored: dict[str, list[ModelVersion]] = {}
        for model in ("m0", "m1"):
            stored[model] = [version async for version in slipway.registry.versions(model)]
            assert [version.number for version in reversed(stored[model])] == list(range(1, len(stored[model]) + 1))
            aliases = {alias.name: alias.version for alias in (await slipway.registry.get_model(model)).aliases}
            for name, number in aliases.items():
                assert number in {story.aliases.get(name), story.aimed[name]}
                endpoint = await slipway.registry.get_endpoint(name)
                assert endpoint.routes[0].resolved_version == number
                assert endpoint.routes[0].weight in {story.weights.get(name), story.weighed[name]}
        found = {v.params["request"]: (v.model, v.number) for versions in stored.values() for v in versions}
        assert found == {request: (story.asked[request], number) for request, number in story.numbers.items()}
        versions = sum(map(len, stored.values()))
        await check_version_events(registry, versions, len(story.numbers))
        await check_endpoint_events(registry, [endpoint async for endpoint in slipway.registry.endpoints()])


def is_created(record: Record) -> bool:
    return events_pb2.ModelVersionChanged.FromString(record.event.value).HasField("created")


async def check_version_events(registry: Registry, versions: int, requests: int) -> None:
    assert versions == requests
    created: dict[str, list[int]] = defaultdict(list)
    pointing: dict[tuple[str, str], int] = defaultdict(int)
    records = await events_of(registry, "registry.model-version.v1", is_created, versions)
    assert len({record.event.id for record in records}) == len(records)
    for record in records:
        change = events_pb2.ModelVersionChanged.FromString(record.event.value)
        if change.HasField("created"):
            created[change.created.model].append(change.created.number)
        else:
            moved = change.alias_moved
            assert pointing[moved.model, moved.alias] == moved.from_version
            pointing[moved.model, moved.alias] = moved.to_version
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in created.values())
    assert sum(map(len, created.values())) == versions


async def check_endpoint_events(registry: Registry, endpoints: list[Endpoint]) -> None:
    last = max(endpoint.revision for endpoint in endpoints)
    records = await events_of(registry, "registry.endpoint.v1", lambda _: True, last)
    revisions = [events_pb2.EndpointChanged.FromString(record.event.value).put.revision for record in records]
    # A change and its event commit together: no revision without its event, none twice, in order.
    assert revisions == list(range(1, last + 1))
    assert len({record.event.id for record in records}) == len(records)
