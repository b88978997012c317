"""Feature serving's load: values are pushed and read back, and events of a windowed view come both ways."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from scripts.chaos.findings import Finding
from scripts.chaos.history import Mark, Operation, acknowledged
from scripts.chaos.load import Client, Needs, Scene
from scripts.chaos.models import feature_serving as model
from slipway.client import Aggregation, AggregationFunction, Feature, FeatureView, ValueType
from slipway.errors import SlipwayError
from slipway.events import Event
from slipway.gen.slipway.features.v1 import events_pb2

TOPIC, GROUP = "features.rows.v1", "feature_serving"
_START = datetime(2013, 1, 1, tzinfo=UTC)
_HOP = timedelta(minutes=6)
# Longer than any run in event time: in the end a window holds every event that was ever sent.
_EVER = timedelta(days=90)
_STEP = timedelta(seconds=1)
_PLAIN = FeatureView("planes", "faults", ("plane",), (Feature("last", ValueType.INT64),))
_WINDOWED = FeatureView(
    "flights",
    "faults",
    ("plane",),
    (Feature("flown", ValueType.INT64), Feature("delay", ValueType.DOUBLE)),
    aggregations=(
        Aggregation("flown", "delay", AggregationFunction.COUNT, _EVER),
        Aggregation("delay", "delay", AggregationFunction.SUM, _EVER),
    ),
    hop=_HOP,
)
_PUSHERS, _READERS, _PUBLISHERS, _ENTITIES, _AT_ONCE = 6, 4, 2, 20, 5
_SETTLES_WITHIN_S, _REBUILT_WITHIN_S = 60.0, 20.0


@dataclass
class _Pusher:
    """Pushes a value of one of its entities and reads it back, and now and then events; repeats what got no answer."""

    scene: Scene
    name: str
    turn: int = 0
    waiting: tuple[str, list[str], int, datetime] | None = None

    async def step(self) -> None:
        """See Client."""
        self.turn += 1
        entity = f"{self.name}-{self.turn % _ENTITIES}"
        features, turn, now = self.scene.slipway.features, self.turn, _now(self.scene)
        history = self.scene.history
        rows = [{"plane": entity}], [{"last": turn}]
        told = await history.attempt(
            self.name, model.WRITE, entity, lambda: features.push("planes", *rows, now), value=turn
        )
        if told is None:
            return
        await history.attempt(
            self.name,
            model.READ,
            entity,
            lambda: features.get_online(["planes:last"], [{"plane": entity}]),
            told=lambda found: found["planes:last"].values[0],
        )
        await self._count(now)

    async def _count(self, now: datetime) -> None:
        """The same rows at the same moment are the same call: it may be repeated until it is answered."""
        self.waiting = self.waiting or (f"{self.name}/{self.turn}", _some(self.name, self.turn), self.turn, now)
        key, entities, amount, at = self.waiting
        rows = [{"plane": one} for one in entities], [{"delay": float(amount)} for _ in entities]
        told = await self.scene.history.attempt(
            self.name,
            model.EVENTS,
            key,
            lambda: self.scene.slipway.features.push("flights", *rows, at),
            entities=entities,
            amount=amount,
        )
        self.waiting = None if told else self.waiting


@dataclass
class _Reader:
    """Reads entities of one of the pushers."""

    scene: Scene
    name: str
    whose: str
    turn: int = 0

    async def step(self) -> None:
        """See Client."""
        self.turn += 1
        entity = f"{self.whose}-{self.turn % _ENTITIES}"
        await self.scene.history.attempt(
            self.name,
            model.GLANCE,
            entity,
            lambda: self.scene.slipway.features.get_online(["planes:last"], [{"plane": entity}]),
            told=lambda found: found["planes:last"].values[0],
        )


@dataclass
class _Publisher:
    """Publishes rows and events of the windowed view, in turn; repeats, under the same id, what was not answered."""

    scene: Scene
    name: str
    turn: int = 0
    waiting: tuple[str, list[str], Event] | None = None

    async def step(self) -> None:
        """See Client."""
        if self.waiting is None:
            self.turn += 1
            entities, plain = _some(self.name, self.turn), self.turn % 2 == 0
            rows = _rows("planes" if plain else "flights", entities, self.turn, _now(self.scene))
            self.waiting = model.ROWS if plain else model.PUBLISHED, entities, _event(f"{self.name}/{self.turn}", rows)
        kind, entities, event = self.waiting

        async def publish() -> bool:
            await self.scene.publisher.publish([event])
            return True

        told = await self.scene.history.attempt(self.name, kind, event.id, publish, entities=entities, amount=self.turn)
        self.waiting = None if told else self.waiting
        # The topic is no faster than whoever reads it, or the end would be a long wait.
        await asyncio.sleep(0.02)


class FeatureServingLoad:
    """See :class:`scripts.chaos.load.Load`."""

    service = "feature_serving"
    needs = Needs(
        services=("feature_serving",),
        victims=("feature_serving",),
        backing=frozenset({"redis"}),
        topics={TOPIC: GROUP},
        fed=frozenset({TOPIC}),
        links=frozenset({("feature_serving", "SLIPWAY_REDIS")}),
        aside=frozenset({model.PUBLISHED, model.ROWS}),
    )

    async def prepare(self, scene: Scene) -> None:
        """See Load."""
        await scene.slipway.features.apply([_PLAIN, _WINDOWED])

    def clients(self, scene: Scene) -> Sequence[Client]:
        """See Load."""
        session = scene.history.session
        pushers = [_Pusher(scene, f"s{session}c{number}") for number in range(_PUSHERS)]
        readers = [_Reader(scene, f"s{session}r{number}", f"s{session}c{number}") for number in range(_READERS)]
        publishers = [_Publisher(scene, f"s{session}p{number}") for number in range(_PUBLISHERS)]
        return [*pushers, *readers, *publishers]

    async def observe(self, scene: Scene) -> model.Observed:
        """See Load."""
        end = _START + ((_now(scene) - _START) // _HOP + 2) * _HOP
        for view in ("planes", "flights"):
            await _close(scene, view, end)
        until_s = time.monotonic() + _REBUILT_WITHIN_S
        while await _rebuilding(scene) and time.monotonic() < until_s:  # noqa: ASYNC110 - nothing tells of its end
            await asyncio.sleep(0.2)
        written = sorted({one.key for one in _of(scene, model.WRITE)})
        values = await _values(scene, "planes", written + _entities(scene, model.ROWS))
        windows = await _values(scene, "flights", _entities(scene, model.EVENTS, model.PUBLISHED))
        return model.Observed(
            values={key: row["planes:last"] for key, row in values},
            windows={
                key: None if row["flights:flown"] is None else (row["flights:flown"], row["flights:delay"])
                for key, row in windows
            },
        )

    def check(self, operations: Sequence[Operation], marks: Sequence[Mark], observed: model.Observed) -> list[Finding]:
        """See Load."""
        return list(model.check(operations, marks, observed))


async def _close(scene: Scene, view: str, end: datetime) -> None:
    """Say on the topic that nothing before ``end`` is to come, and wait until that has arrived behind all else."""
    rows = _rows(view, [], 0, _START)
    rows.complete_until_us = _us(end)
    await scene.publisher.publish([_event(f"close-{view}-{scene.history.session}-{_us(end)}", rows)])
    async with asyncio.timeout(_SETTLES_WITHIN_S):
        while True:
            try:
                if (await scene.slipway.features.watermark(view)).event_time >= end:
                    return
            except SlipwayError:
                pass
            await asyncio.sleep(0.1)


async def _rebuilding(scene: Scene) -> bool:
    """Whether something is missing that comes back after a loss; if it never does, the wait for it ends in time."""
    windows = await _values(scene, "flights", _entities(scene, model.PUBLISHED))
    rows = await _values(scene, "planes", [one.key for one in acknowledged(scene.history.operations, model.WRITE)])
    return any(None in row.values() for _, row in (*windows, *rows))


async def _values(scene: Scene, view: str, entities: list[str]) -> list[tuple[str, dict[str, Any]]]:
    names = [f"{view}:{one.name}" for one in (_PLAIN if view == "planes" else _WINDOWED).features]
    found = await scene.slipway.features.get_online(names, [{"plane": one} for one in entities])
    return list(zip(entities, found.rows(), strict=True))


def _entities(scene: Scene, *kinds: str) -> list[str]:
    return sorted({one for each in _of(scene, *kinds) for one in each.arguments["entities"]})


def _of(scene: Scene, *kinds: str) -> list[Operation]:
    return [one for one in scene.history.operations if one.kind in kinds]


def _some(name: str, turn: int) -> list[str]:
    return [f"{name}-{(turn * _AT_ONCE + number) % _ENTITIES}" for number in range(_AT_ONCE)]


def _now(scene: Scene) -> datetime:
    """Event time goes on with the calls, a good deal faster than life, so that hops are passed."""
    return _START + len(scene.history.operations) * _STEP


def _us(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000


def _rows(view: str, entities: list[str], amount: int, moment: datetime) -> events_pb2.FeatureRows:
    """Rows of one value: of the plain view its feature, of the windowed one what it counts and adds up."""
    rows = events_pb2.FeatureRows(view=view, event_times_us=[_us(moment)] * len(entities))
    if entities:
        rows.entities.add(name="plane").strings.values.extend(entities)
    if entities and view == "planes":
        rows.features.add(name="last").int64s.values.extend([amount] * len(entities))
    elif entities:
        rows.features.add(name="delay").doubles.values.extend([float(amount)] * len(entities))
    return rows


def _event(event_id: str, rows: events_pb2.FeatureRows) -> Event:
    return Event(event_id, TOPIC, rows.view, "slipway.features.rows", "/faults", _START, rows.SerializeToString())
