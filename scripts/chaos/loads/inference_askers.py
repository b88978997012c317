"""Who asks the gateway under faults: by calls, and by events."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from scripts.chaos.load import Scene
from scripts.chaos.models import inference_gateway as model
from scripts.chaos.models import responses
from slipway.events import Event
from slipway.gen.slipway.inference.v1 import events_pb2, inference_pb2

ENDPOINT = "late"
REQUESTS = "inference.requests.v1"
_START = datetime(2013, 1, 1, tzinfo=UTC)
_MOST_ROWS = 4
# What the log writes before the model has answered; without ids, of which a gateway remembers no more than so many.
_LARGE_EVERY, _LARGE_ROWS = 10, 600
_AGAIN_EVERY = 5
_PUBLISH_S = 0.05


@dataclass(frozen=True, slots=True)
class Question:
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
            lambda: scene.slipway.inference.predict(ENDPOINT, asked, prediction_ids=ids, event_times=moment),
            told=lambda answers: [(one.prediction_id, one.version, float(one.value)) for one in answers],
            a=a,
            rows=self.rows,
        )
        return told is not None


@dataclass
class Asker:
    """Asks. With ids of its own it asks under them until it is answered, and now and then once more."""

    scene: Scene
    name: str
    kind: str
    turn: int = 0
    waiting: Question | None = None

    async def step(self) -> None:
        """See Client."""
        if self.waiting is None:
            self.turn += 1
            large = self.kind == model.KEYLESS and not self.turn % _LARGE_EVERY
            rows = _LARGE_ROWS if large else self.turn % _MOST_ROWS + 1
            self.waiting = Question(self.kind, f"{self.name}-{self.turn}", self.turn, rows)
        answered = await self.waiting.ask(self.scene, self.name)
        if answered and self.kind == model.KEYED and self.turn % _AGAIN_EVERY == 0:
            await self.waiting.ask(self.scene, self.name)
        if answered or self.kind == model.KEYLESS:
            self.waiting = None


@dataclass
class Publisher:
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
        request = inference_pb2.PredictRequest(endpoint=ENDPOINT, prediction_ids=ids, features=columns)
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
