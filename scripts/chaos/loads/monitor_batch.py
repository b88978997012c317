"""What the monitor is fed: a batch of predictions, and what becomes known of its rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from scripts.chaos.load import Scene
from scripts.chaos.models import monitor as model
from slipway.events import Event
from slipway.gen.slipway.inference.v1 import events_pb2
from slipway.gen.slipway.monitor.v1 import events_pb2 as told_pb2

PREDICTIONS, LABELS = "inference.predictions.v1", "monitor.labels.v1"
MODEL, VERSION, ROWS = "flights", 1, 10
# A Thursday, as 1970 began with: windows of a week start on it.
START = datetime(2013, 1, 3, tzinfo=UTC)
WEEK, HOUR = timedelta(days=7), timedelta(hours=1)
_INTO_IT = timedelta(days=2)
_FAR, _NEAR = 0.9, 0.1


@dataclass(frozen=True, slots=True)
class Batch:
    """A prediction event of an endpoint's week, and the labels of its rows."""

    scene: Scene
    client: str
    endpoint: str
    week: int
    number: int

    @property
    def key(self) -> str:
        """The id of its event."""
        return f"{self.endpoint}.{self.week}.{self.number}"

    @property
    def moment(self) -> datetime:
        """What its rows ask about."""
        return START + self.week * WEEK + _INTO_IT + self.number * HOUR

    async def predicted(self) -> bool:
        """Publish its predictions; whether the log said that it has them."""
        far = _FAR if self.endpoint.startswith(model.HARM) else _NEAR
        scores = [abs(row % 2 - far) for row in range(ROWS)]
        value = events_pb2.PredictionBatch(
            endpoint=self.endpoint,
            model=MODEL,
            version=VERSION,
            route="main",
            prediction_ids=[f"{self.key}.{row}" for row in range(ROWS)],
            event_times_us=[_us(self.moment)] * ROWS,
            outputs=[events_pb2.OutputColumn(name="probability", width=1, values=scores)],
        )
        event = Event(self.key, PREDICTIONS, self.endpoint, "t", "/faults", START, value.SerializeToString())
        hour = (self.moment - START) // HOUR
        return await self._publish(model.PREDICTED, event, hour=hour, scores=scores)

    async def told(self, rank: int, rows: range, *, wrong: bool) -> bool:
        """Publish labels; whether the log said that it has them. ``wrong``: that of the first row is."""
        labels = _labels(rows, wrong=wrong)
        value = told_pb2.LabelBatch(
            endpoint=self.endpoint,
            prediction_ids=[f"{self.key}.{row}" for row, _ in labels],
            values=[float(label) for _, label in labels],
            label_times_us=[_us(self.moment + rank * HOUR)] * len(labels),
        )
        event_id = f"{self.key}/{rank}"
        event = Event(event_id, LABELS, self.endpoint, "t", "/faults", START, value.SerializeToString())
        return await self._publish(model.TOLD, event, about=self.key, rank=rank, labels=labels)

    async def recorded(self, rank: int, rows: range, *, wrong: bool) -> bool:
        """Give labels by a call; whether it was answered."""
        labels = _labels(rows, wrong=wrong)
        answer = await self.scene.history.attempt(
            self.client,
            model.RECORDED,
            f"{self.key}/{rank}",
            lambda: self.scene.slipway.monitor.record_labels(
                self.endpoint,
                [f"{self.key}.{row}" for row, _ in labels],
                [float(label) for _, label in labels],
                self.moment + rank * HOUR,
            ),
            endpoint=self.endpoint,
            week=self.week,
            about=self.key,
            rank=rank,
            labels=labels,
        )
        return answer is not None

    async def _publish(self, kind: str, event: Event, **arguments: Any) -> bool:
        async def publish() -> bool:
            await self.scene.publisher.publish([event])
            return True

        told = await self.scene.history.attempt(
            self.client, kind, event.id, publish, endpoint=self.endpoint, week=self.week, **arguments
        )
        return told is not None


def _labels(rows: range, *, wrong: bool) -> list[tuple[int, int]]:
    return [(row, 1 - row % 2 if wrong and row == 0 else row % 2) for row in rows]


def _us(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000
