"""The registry's load: versions are registered, an alias a client moves, an endpoint a client follows it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from scripts.chaos.findings import Finding
from scripts.chaos.history import Mark, Operation, acknowledged
from scripts.chaos.load import Client, Needs, Scene
from scripts.chaos.models import registry as model
from scripts.chaos.topics import arrived
from slipway.client import Artifact, ColumnSpec, DataType, Route, Signature, TensorSpec
from slipway.errors import Kind, SlipwayError
from slipway.events import Record
from slipway.gen.slipway.registry.v1 import events_pb2

_CLIENTS, _READERS = 8, 4
_LATELY, _STRIDE = 50, 7
_MODELS = ("m0", "m1")
_SIGNATURE = Signature((ColumnSpec("distance", DataType.FP32),), (TensorSpec("late", DataType.FP32, (-1, 1)),))
_VERSIONS, _ENDPOINTS = "registry.model-version.v1", "registry.endpoint.v1"
_HEAVIEST = 10_000


@dataclass
class _Caller:
    """Registers a version, points its alias at it, weighs its endpoint; asks again for what was not answered."""

    scene: Scene
    name: str
    model: str
    artifact: Artifact
    turn: int = 0
    waiting: list[str] = field(default_factory=list)

    async def step(self) -> None:
        """See Client."""
        self.turn += 1
        request = self.waiting.pop() if self.waiting else f"{self.name}-{self.turn}"
        number = await self._register(request)
        if number is None:
            self.waiting.append(request)
            return
        registry = self.scene.slipway.registry
        await self.scene.history.attempt(
            self.name,
            model.MOVE,
            f"{self.name}/{number}",
            lambda: registry.set_alias(self.model, self.name, number),
            name=self.name,
            version=number,
        )
        weight = self.turn % _HEAVIEST + 1
        await self.scene.history.attempt(
            self.name,
            model.PUT,
            f"{self.name}/{self.turn}",
            lambda: registry.put_endpoint(self.name, [Route("main", self.model, version=number, weight=weight)]),
            told=lambda endpoint: endpoint.revision,
            name=self.name,
            weight=weight,
        )
        await self._look()

    async def _look(self) -> None:
        """Read its own alias and endpoint: nobody else moves them."""
        registry = self.scene.slipway.registry

        async def version() -> int:
            return (await registry.get_version(self.model, alias=self.name)).number

        async def weight() -> int:
            return (await registry.get_endpoint(self.name)).routes[0].weight

        for kind, read in ((model.LOOK_MOVE, version), (model.LOOK_PUT, weight)):
            await self.scene.history.attempt(self.name, kind, self.name, _absent(read), told=lambda found: found)

    async def _register(self, request: str) -> int | None:
        version = await self.scene.history.attempt(
            self.name,
            model.REGISTER,
            request,
            lambda: self.scene.slipway.registry.register_version(
                self.model, self.artifact, _SIGNATURE, params={"request": request}, request_id=request
            ),
            told=lambda version: version.number,
            model=self.model,
        )
        return version.number if version else None


@dataclass
class _Reader:
    """Reads versions whose registration was answered, again and again: they never change."""

    scene: Scene
    name: str
    turn: int = 0
    known: list[Operation] = field(default_factory=list)
    seen: int = 0

    async def step(self) -> None:
        """See Client."""
        operations = self.scene.history.operations
        # What was asked long ago has been answered by now, or never will be.
        until = max(self.seen, len(operations) - _LATELY)
        self.known += acknowledged(operations[self.seen : until], model.REGISTER)
        self.seen = until
        if not self.known:
            await asyncio.sleep(0.05)
            return
        self.turn += 1
        one = self.known[self.turn * _STRIDE % len(self.known)]
        await self.scene.history.attempt(
            self.name,
            model.LOOK_VERSION,
            one.key,
            lambda: self.scene.slipway.registry.get_version(one.arguments["model"], number=one.result),
            told=lambda version: version.params["request"],
        )


class RegistryLoad:
    """See :class:`scripts.chaos.load.Load`."""

    service = "registry"
    needs = Needs(
        services=("registry",),
        victims=("registry",),
        topics={"monitor.verdict.v1": "registry", "inference.arm.v1": "registry"},
    )

    def __init__(self) -> None:
        self._artifact = Artifact("")

    async def prepare(self, scene: Scene) -> None:
        """See Load."""
        for name in _MODELS:
            await scene.slipway.registry.create_model(name, owner="faults")
        self._artifact = await scene.slipway.registry.upload_artifact(b"network")

    def clients(self, scene: Scene) -> Sequence[Client]:
        """See Load."""
        session = scene.history.session
        callers = [
            _Caller(scene, f"s{session}c{number}", _MODELS[number % len(_MODELS)], self._artifact)
            for number in range(_CLIENTS)
        ]
        return [*callers, *(_Reader(scene, f"s{session}r{number}") for number in range(_READERS))]

    async def observe(self, scene: Scene) -> model.Observed:
        """See Load."""
        registry = scene.slipway.registry
        versions = {
            name: {one.number: one.params["request"] async for one in registry.versions(name)} for name in _MODELS
        }
        aliases = {one.name: one.version for name in _MODELS for one in (await registry.get_model(name)).aliases}
        endpoints = [one async for one in registry.endpoints()]
        changes = [
            events_pb2.ModelVersionChanged.FromString(one.event.value)
            async for one in _told(scene, _VERSIONS, sum(map(len, versions.values())) + len(aliases))
        ]
        puts = [
            (change.put.revision, change.put.name, change.put.routes[0].weight)
            async for one in _told(scene, _ENDPOINTS, max((one.revision for one in endpoints), default=0))
            if (change := events_pb2.EndpointChanged.FromString(one.event.value)).HasField("put")
        ]
        moved = [one.alias_moved for one in changes if one.HasField("alias_moved")]
        return model.Observed(
            versions=versions,
            aliases=aliases,
            weights={one.name: one.routes[0].weight for one in endpoints},
            created=[(one.created.model, one.created.number) for one in changes if one.HasField("created")],
            moves=[(one.alias, one.from_version, one.to_version) for one in moved],
            puts=puts,
        )

    def check(self, operations: Sequence[Operation], marks: Sequence[Mark], observed: model.Observed) -> list[Finding]:
        """See Load."""
        return model.check(operations, observed)


async def _told(scene: Scene, topic: str, at_least: int) -> AsyncIterator[Record]:
    for record in await arrived(scene.platform.events, topic, at_least):
        yield record


def _absent(read: Callable[[], Awaitable[int]]) -> Callable[[], Awaitable[int]]:
    """0 where there is nothing."""

    async def read_or_0() -> int:
        try:
            return await read()
        except SlipwayError as error:
            if error.kind is Kind.NOT_FOUND:
                return 0
            raise

    return read_or_0
