"""The gateway's load: rows are asked about, by calls and by events, while the endpoint's routes and weights change."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from scripts.chaos.findings import Finding
from scripts.chaos.history import Mark, Operation, acknowledged
from scripts.chaos.load import Client, Needs, Scene
from scripts.chaos.models import inference_gateway as model
from scripts.chaos.models import responses
from scripts.chaos.networks import SIGNATURE, adding
from scripts.chaos.topics import arrived, once_each, read_all
from slipway.client import PredictionLog, Route
from slipway.errors import Kind, SlipwayError
from slipway.events import Event
from slipway.events.connect import open_log
from slipway.gen.slipway.inference.v1 import events_pb2, inference_pb2

TOPIC, GROUP = "inference.predictions.v1", "inference_gateway"
REQUESTS, RESPONSES = "inference.requests.v1", "inference.responses.v1"
_ENDPOINT, _MODEL, _VERSIONS = "late", "adding", 3
_START = datetime(2013, 1, 1, tzinfo=UTC)
_KEYED, _KEYLESS, _PUBLISHERS, _MOST_ROWS = 6, 2, 2, 4
# What the log writes before the model has answered; without ids, of which a gateway remembers no more than so many.
_LARGE_EVERY, _LARGE_ROWS = 10, 600
_AGAIN_EVERY = 5
_CHANGE_S, _LOADS_EVERY, _PUBLISH_S = 0.3, 5, 0.05
_SETTLES_WITHIN_S = 90.0


@dataclass(frozen=True, slots=True)
class _Question:
    """Rows to ask about; the same ``key`` is the same question."""

    kind: str
    key: str
    turn: int
    rows: int

    async def ask(self, scene: Scene, client: str) -> bool:
        """Whether it was answered."""
        a, moment = float(self.turn % 100), _START + timedelta(minutes=self.turn)
        asked = [{"a": a, "b": float(row)} for row in range(self.rows)]
        ids = [f"{self.key}.{row}" for row in range(self.rows)] if self.kind == model.KEYED else None
        told = await scene.history.attempt(
            client,
            self.kind,
            self.key,
            lambda: scene.slipway.inference.predict(_ENDPOINT, asked, prediction_ids=ids, event_times=moment),
            told=lambda answers: [(one.prediction_id, one.version, float(one.value)) for one in answers],
            a=a,
            rows=self.rows,
        )
        return told is not None


@dataclass
class _Asker:
    """Asks. With ids of its own it asks under them until it is answered, and now and then once more."""

    scene: Scene
    name: str
    kind: str
    turn: int = 0
    waiting: _Question | None = None

    async def step(self) -> None:
        """See Client."""
        if self.waiting is None:
            self.turn += 1
            large = self.kind == model.KEYLESS and not self.turn % _LARGE_EVERY
            rows = _LARGE_ROWS if large else self.turn % _MOST_ROWS + 1
            self.waiting = _Question(self.kind, f"{self.name}-{self.turn}", self.turn, rows)
        answered = await self.waiting.ask(self.scene, self.name)
        if answered and self.kind == model.KEYED and self.turn % _AGAIN_EVERY == 0:
            await self.waiting.ask(self.scene, self.name)
        if answered or self.kind == model.KEYLESS:
            self.waiting = None


@dataclass
class _Publisher:
    """Asks by events, each again until it is acknowledged; all of one key."""

    scene: Scene
    name: str
    turn: int = 0
    acknowledged: bool = True

    async def step(self) -> None:
        """See Client."""
        self.turn += self.acknowledged
        event_id, rows = f"{self.name}-{self.turn}", self.turn % _MOST_ROWS + 1
        a = float(self.turn % 100)
        columns = [
            {"name": "a", "doubles": {"values": [a] * rows}},
            {"name": "b", "doubles": {"values": range(rows)}},
        ]
        ids = [f"{event_id}.{row}" for row in range(rows)]
        request = inference_pb2.PredictRequest(endpoint=_ENDPOINT, prediction_ids=ids, features=columns)
        value = events_pb2.PredictionRequested(request=request).SerializeToString()
        moment = _START + timedelta(minutes=self.turn)
        event = Event(event_id, REQUESTS, self.name, "faults.asked", "/faults", moment, value)

        async def publish() -> bool:
            await self.scene.publisher.publish([event])
            return True

        told = await self.scene.history.attempt(self.name, responses.EVENT, event_id, publish, a=a, rows=rows)
        self.acknowledged = told is not None
        # Who publishes waits for nobody: without a pause requests would pile up before the gateway.
        await asyncio.sleep(_PUBLISH_S)


@dataclass
class _Changer:
    """Weighs the endpoint's two arms anew, and now and then has others of its versions loaded in their place."""

    scene: Scene
    name: str
    turn: int = 0

    async def step(self) -> None:
        """See Client."""
        self.turn += 1
        first = self.turn // _LOADS_EVERY % _VERSIONS
        versions = [first + 1, (first + 1) % _VERSIONS + 1]
        weights = [self.turn % 3, 1]
        routes = [
            Route(name, _MODEL, version=version, weight=weight)
            for name, version, weight in zip(("main", "other"), versions, weights, strict=True)
        ]
        routes.append(Route("shadow", _MODEL, version=first + 1, weight=0, shadow=True))
        await _put(self.scene, self.name, f"{self.name}-{self.turn}", routes)
        await asyncio.sleep(_CHANGE_S)


class InferenceGatewayLoad:
    """See :class:`scripts.chaos.load.Load`."""

    service = "inference_gateway"
    needs = Needs(
        services=("registry", "inference_gateway", "monitor"),
        victims=("inference_gateway",),
        links=frozenset({("inference_gateway", "SLIPWAY_REGISTRY_ADDRESS")}),
        tables=False,
        alone=True,
        topics={REQUESTS: GROUP},
        fed=frozenset({REQUESTS}),
        aside=frozenset({model.PUT, responses.EVENT}),
    )

    async def prepare(self, scene: Scene) -> None:
        """See Load."""
        registry = scene.slipway.registry
        await registry.create_model(_MODEL, owner="faults")
        for number in range(1, _VERSIONS + 1):
            artifact = await registry.upload_artifact(adding(model.STEP * number))
            await registry.register_version(_MODEL, artifact, SIGNATURE, request_id=f"version-{number}")
        session = scene.history.session
        await _put(scene, f"s{session}", f"s{session}-0", [Route("main", _MODEL, version=1)])
        await _until_served(scene)

    def clients(self, scene: Scene) -> Sequence[Client]:
        """See Load."""
        session = scene.history.session
        keyed = [_Asker(scene, f"s{session}c{number}", model.KEYED) for number in range(_KEYED)]
        keyless = [_Asker(scene, f"s{session}n{number}", model.KEYLESS) for number in range(_KEYLESS)]
        publishers = [_Publisher(scene, f"s{session}e{number}") for number in range(_PUBLISHERS)]
        return [*keyed, *keyless, *publishers, _Changer(scene, f"s{session}r")]

    async def observe(self, scene: Scene) -> model.Observed:
        """See Load."""
        told = await _responses(scene)
        standing = await _shipped(scene)
        async with open_log(scene.platform.events) as log:
            records = once_each(await read_all(log, TOPIC))
        firsts = [events_pb2.PredictionBatch.FromString(one.event.value) for one in records]
        batches = [batch for first in firsts for batch in (first, *first.more)]
        rows = [row for batch in batches if not batch.shadow for row in _rows(batch)]
        shadowed = Counter(one for batch in batches if batch.shadow for one in batch.prediction_ids)
        counted = await _counted(scene, len(rows))
        return model.Observed(rows, shadowed, counted, standing.dropped_predictions, standing.pending_batches, told)

    def check(self, operations: Sequence[Operation], marks: Sequence[Mark], observed: model.Observed) -> list[Finding]:
        """See Load."""
        return model.check(operations, marks, observed)


async def _responses(scene: Scene) -> list[responses.Response]:
    """Those to all requests that were acknowledged, or what there is after a long while."""
    published = {one.key for one in acknowledged(scene.history.operations, responses.EVENT)}
    records = await arrived(scene.platform.events, RESPONSES, len(published), _SETTLES_WITHIN_S)
    return [_response(one.event.key, events_pb2.PredictionAnswered.FromString(one.event.value)) for one in records]


def _response(key: str, told: events_pb2.PredictionAnswered) -> responses.Response:
    rows = [(one.prediction_id, one.version, one.outputs[0].values[0]) for one in told.response.predictions]
    return responses.Response(key, told.request_id, rows, told.error.code)


def _rows(batch: events_pb2.PredictionBatch) -> list[model.Row]:
    values = batch.outputs[0].values
    return [(one, batch.version, value) for one, value in zip(batch.prediction_ids, values, strict=True)]


async def _put(scene: Scene, name: str, key: str, routes: list[Route]) -> None:
    await scene.history.attempt(
        name,
        model.PUT,
        key,
        lambda: scene.slipway.registry.put_endpoint(_ENDPOINT, routes),
        versions=[one.version for one in routes if not one.shadow],
    )


async def _until_served(scene: Scene) -> None:
    """Ask until the endpoint answers."""
    name = f"s{scene.history.session}"
    async with asyncio.timeout(_SETTLES_WITHIN_S):
        while True:
            try:
                if await _Question(model.KEYED, f"{name}-first", 0, 1).ask(scene, name):
                    return
            except SlipwayError as error:
                if error.kind is not Kind.NOT_FOUND:
                    raise  # the registry's word of the endpoint is not here yet
            await asyncio.sleep(0.1)


async def _shipped(scene: Scene) -> PredictionLog:
    """How the spool stands once everything in it was shipped, or after a long while."""
    until_s = time.monotonic() + _SETTLES_WITHIN_S
    while True:
        standing = await scene.slipway.inference.prediction_log()
        if not standing.pending_batches or time.monotonic() > until_s:
            return standing
        await asyncio.sleep(0.1)


async def _counted(scene: Scene, at_least: int) -> int:
    """The predictions that the monitor counts: so many, or what it has come to after a long while."""
    until_s = time.monotonic() + _SETTLES_WITHIN_S
    while True:
        counted = (await scene.slipway.monitor.count(_ENDPOINT)).predictions
        if counted >= at_least or time.monotonic() > until_s:
            return counted
        await asyncio.sleep(0.1)
