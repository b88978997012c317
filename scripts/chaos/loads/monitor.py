"""The monitor's load: predictions and labels on their topics, out of order and again, and labels by call."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from scripts.chaos.findings import Finding
from scripts.chaos.history import Mark, Operation
from scripts.chaos.load import Client, Needs, Scene
from scripts.chaos.loads.monitor_batch import HOUR, LABELS, MODEL, PREDICTIONS, ROWS, START, VERSION, WEEK, Batch
from scripts.chaos.models import monitor as model
from scripts.chaos.topics import arrived
from slipway.events import Event, EventLog
from slipway.events.connect import open_log
from slipway.gen.slipway.monitor.v1 import events_pb2 as told_pb2
from slipway.gen.slipway.monitor.v1 import resources_pb2
from slipway.gen.slipway.registry.v1 import events_pb2 as registry_pb2

INCIDENTS = "monitor.incident.v1"
REGISTERED, ENDPOINTS = "registry.model-version.v1", "registry.endpoint.v1"
GROUP = "monitor"
_FEEDERS, _READERS, _EVENTS, _MIN_ROWS = 4, 3, 6, 20
_CONFIG = f"[judging]\nmin_rows = {_MIN_ROWS}\n"
_BASELINE = {
    "features": [{"name": "x", "importance": 0.01, "edges": [0], "counts": [1, 1], "spread": 0.05}],
    "performance": {"auc": 0.9, "log_loss": 0.3},
}
_LOOK_S = 0.2
_SETTLES_WITHIN_S = 60.0
Action = Callable[[], Awaitable[bool]]


@dataclass
class _Feeder:
    """Lives through one endpoint after another, week by week; what has no answer is done again.

    A week's predictions and labels come in any order, some twice. The next week begins once the monitor has all of
    this one, so that event time, which closes windows, comes as it would: behind what happened in it.
    """

    scene: Scene
    name: str
    lives: int = -1
    week: int = model.WEEKS
    left: list[Action] = field(default_factory=list)
    rows: int = 0

    @property
    def endpoint(self) -> str:
        """Whose weeks these are: every other one does harm."""
        return f"{model.HARM if self.lives % 2 == 0 else 'good'}-{self.name}-{self.lives}"

    async def step(self) -> None:
        """See Client."""
        if self.left:
            if await self.left[-1]():
                self.left.pop()
            return
        if self.rows and await _coverage(self.scene, self.name, self.endpoint) != (self.rows, self.rows):
            return
        self.week += 1
        if self.week >= model.WEEKS:
            self.lives, self.week, self.rows = self.lives + 1, 0, 0
        self.left = self._plan()
        self.rows += _EVENTS * ROWS

    def _plan(self) -> list[Action]:
        dice = random.Random(f"{self.endpoint}/{self.week}")  # noqa: S311
        plan: list[Action] = []
        for number in range(_EVENTS):
            batch = Batch(self.scene, self.name, self.endpoint, self.week, number)
            wrong = number % 3 == 0
            labelled = batch.told if number % 2 else batch.recorded
            plan += [batch.predicted, partial(labelled, 1, range(ROWS), wrong=wrong)]
            if wrong:
                corrected = batch.recorded if number % 2 else batch.told
                plan.append(partial(corrected, 2, range(1), wrong=False))
        plan += dice.choices(plan, k=_EVENTS)
        dice.shuffle(plan)
        return plan


@dataclass
class _Reader:
    """Asks how far an endpoint has come."""

    scene: Scene
    name: str
    feeders: Sequence[_Feeder]
    turn: int = 0

    async def step(self) -> None:
        """See Client."""
        self.turn += 1
        feeder = self.feeders[self.turn % len(self.feeders)]
        if feeder.lives >= 0:
            await _coverage(self.scene, self.name, feeder.endpoint)


class MonitorLoad:
    """See :class:`scripts.chaos.load.Load`."""

    service = "monitor"
    needs = Needs(
        services=("monitor",),
        victims=("monitor",),
        configs={"monitor": _CONFIG},
        topics={PREDICTIONS: GROUP, LABELS: GROUP, REGISTERED: GROUP, ENDPOINTS: GROUP},
        fed=frozenset({PREDICTIONS, LABELS}),
        aside=frozenset({model.PREDICTED, model.TOLD}),
    )

    async def prepare(self, scene: Scene) -> None:
        """See Load."""
        created = {"model": MODEL, "number": VERSION, "baseline": _BASELINE}
        value = registry_pb2.ModelVersionChanged(created=created).SerializeToString()
        # The monitor may read it whenever: what it counts before is judged after.
        await scene.publisher.publish([Event("created", REGISTERED, MODEL, "t", "/faults", START, value)])

    def clients(self, scene: Scene) -> Sequence[Client]:
        """See Load."""
        session = scene.history.session
        feeders = [_Feeder(scene, f"s{session}f{number}") for number in range(_FEEDERS)]
        return [*feeders, *(_Reader(scene, f"s{session}r{number}", feeders) for number in range(_READERS))]

    async def observe(self, scene: Scene) -> model.Observed:
        """See Load."""
        monitor = scene.slipway.monitor
        await _settled(scene)
        hours = {(one.endpoint, (one.start_time - START) // HOUR): one.predictions async for one in monitor.windows()}
        weeks = {
            (one.endpoint, (one.start_time - START) // WEEK): model.Week(
                one.predictions, one.joined, one.positives, one.brier
            )
            async for one in monitor.performance()
        }
        incidents = {one.id: one.endpoint async for one in monitor.incidents()}
        told = [
            told_pb2.IncidentChanged.FromString(record.event.value).incident
            for record in await arrived(scene.platform.events, INCIDENTS, len(incidents))
        ]
        opened = [one.id for one in told if one.state == resources_pb2.INCIDENT_STATE_OPEN]
        return model.Observed(hours, weeks, incidents, opened)

    def check(self, operations: Sequence[Operation], marks: Sequence[Mark], observed: model.Observed) -> list[Finding]:
        """See Load."""
        return model.check(operations, observed)


async def _coverage(scene: Scene, client: str, endpoint: str) -> tuple[int, int] | None:
    """The endpoint's predictions, and how many of them have a label; None when nothing answers."""
    told = await scene.history.attempt(
        client,
        model.COVERAGE,
        endpoint,
        lambda: scene.slipway.monitor.coverage(endpoint),
        told=lambda found: (found[0].predictions, found[0].joined),
    )
    return None if told is None else (told[0].predictions, told[0].joined)


async def _settled(scene: Scene) -> None:
    """Wait until the monitor has what was acknowledged, or for a long while; the check says what is missing."""
    asked: dict[str, int] = {}
    for (endpoint, _), tally in model.tallies(scene.history.operations).items():
        asked[endpoint] = asked.get(endpoint, 0) + tally.joined(sure=True)
    until_s = time.monotonic() + _SETTLES_WITHIN_S
    while time.monotonic() < until_s:
        found = {one.endpoint: one.joined for one in await scene.slipway.monitor.coverage()}
        if all(found.get(endpoint, 0) >= joined for endpoint, joined in asked.items()):
            break
        await asyncio.sleep(0.1)
    # A label that corrects another joins no further row: that it has come is seen by how far the monitor has read.
    async with open_log(scene.platform.events) as log:
        while time.monotonic() < until_s and not await _read(log, [PREDICTIONS, LABELS, REGISTERED]):  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_S)


async def _read(log: EventLog, topics: Sequence[str]) -> bool:
    """Whether the monitor has read all that the topics hold."""
    reached = await log.committed(topics, GROUP)
    held = [one for one in await log.topics(topics) if one.next_offset > one.first_offset]
    return all(reached.get((one.name, one.partition), 0) >= one.next_offset for one in held)
