"""The gateway's load: rows are asked about, by calls and by events, while the endpoint's routes and weights change."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from scripts.chaos.findings import Finding
from scripts.chaos.history import Mark, Operation, acknowledged
from scripts.chaos.load import Client, Needs, Scene
from scripts.chaos.loads.inference_askers import ENDPOINT, REQUESTS, Asker, Publisher, Question
from scripts.chaos.models import inference_gateway as model
from scripts.chaos.models import responses
from scripts.chaos.networks import SIGNATURE, adding
from scripts.chaos.topics import arrived, once_each, read_all
from slipway.client import PredictionLog, Route
from slipway.errors import Kind, SlipwayError
from slipway.events.connect import open_log
from slipway.gen.slipway.inference.v1 import events_pb2

TOPIC, GROUP = "inference.predictions.v1", "inference_gateway"
RESPONSES = "inference.responses.v1"
_MODEL, _VERSIONS = "adding", 3
_KEYED, _KEYLESS, _PUBLISHERS = 6, 2, 2
_CHANGE_S, _LOADS_EVERY = 0.3, 5
_SETTLES_WITHIN_S = 90.0


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
        keyed = [Asker(scene, f"s{session}c{number}", model.KEYED) for number in range(_KEYED)]
        keyless = [Asker(scene, f"s{session}n{number}", model.KEYLESS) for number in range(_KEYLESS)]
        publishers = [Publisher(scene, f"s{session}e{number}") for number in range(_PUBLISHERS)]
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
        lambda: scene.slipway.registry.put_endpoint(ENDPOINT, routes),
        versions=[one.version for one in routes if not one.shadow],
    )


async def _until_served(scene: Scene) -> None:
    """Ask until the endpoint answers."""
    name = f"s{scene.history.session}"
    async with asyncio.timeout(_SETTLES_WITHIN_S):
        while True:
            try:
                if await Question(model.KEYED, f"{name}-first", 0, 1).ask(scene, name):
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
        counted = (await scene.slipway.monitor.count(ENDPOINT)).predictions
        if counted >= at_least or time.monotonic() > until_s:
            return counted
        await asyncio.sleep(0.1)
