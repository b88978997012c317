"""A real service at work, which fails and dies where its failpoints are armed; its promise is checked at the end."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import grpc.aio

from slipway.client import AsyncSlipway
from slipway.errors import Kind, SlipwayError
from slipway.events import Event, EventLog, Record, dead_letter_topic
from slipway.events.connect import open_log
from slipway.failpoints import Name, arm, armed
from slipway.supervisor.ports import free_port

PATIENCE_S = 60.0
BEHIND_S = 0.05
START = datetime(2013, 1, 1, tzinfo=UTC)
# A gateway that has just started may not have loaded what it serves.
PASSING = {Kind.UNAVAILABLE, Kind.RESOURCE_EXHAUSTED, Kind.DEADLINE_EXCEEDED, Kind.NOT_FOUND}
# It is tried while the process still starts.
SOON = [(f"grpc.{name}_reconnect_backoff_ms", 50) for name in ("initial", "min", "max")]


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

    async def arrived(self, topic: str, counts: Callable[[Record], int], wanted: int) -> list[Record]:
        """The topic's records up to those that count for ``wanted``, and what comes in a moment after them."""
        async with self.log.consumer([topic], "test") as consumer:
            records: list[Record] = []
            while (found := sum(map(counts, records))) < wanted:
                some = await consumer.poll(500, PATIENCE_S)
                assert some, f"{found} of {wanted} on {topic}"
                records += some
            return [*records, *await consumer.poll(500, 0.2)]

    async def set_aside_once(self, topic: str, group: str, ids: Sequence[str]) -> None:
        """Hold the dead letters to these, each once."""
        letters = await self.arrived(dead_letter_topic(topic, group), lambda _: True, len(ids))
        assert Counter(one.event.id for one in letters) == Counter(ids)


def event(identity: str, topic: str, value: bytes) -> Event:
    return Event(identity, topic, topic, "t", "/test", START, value)


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
