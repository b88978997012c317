"""The prediction log and the labels, read as the group ``monitor``."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from services.monitor.codec import decode_batches, decode_labels
from services.monitor.domain.batch import Batch
from services.monitor.domain.label import LabelBatch
from services.monitor.engine.counting import Counting
from services.monitor.ports import Meters
from slipway.clock import Clock
from slipway.errors import InvalidInput
from slipway.events import Consumer, Record, consume, set_aside

PREDICTIONS = "inference.predictions.v1"
LABELS = "monitor.labels.v1"
TOPICS = (PREDICTIONS, LABELS)
log = logging.getLogger(__name__)


class Intake:
    """Takes in every event that is sound and sets the others aside, so that none holds up the rest."""

    def __init__(self, consumer: Consumer, counting: Counting, meters: Meters, clock: Clock) -> None:
        self._consumer = consumer
        self._counting = counting
        self._meters = meters
        self._clock = clock

    async def run(self) -> None:
        """Consume until cancelled. Raises Fenced when another monitor took over."""
        await consume(
            self._consumer, self.handle, clock=self._clock, on_dead_letter=lambda _: self._meters.dead_lettered()
        )

    async def handle(self, records: Sequence[Record]) -> None:
        """Take ``records`` in; may be given any of them again."""
        batches: list[Batch] = []
        labels: dict[str, LabelBatch] = {}
        unsound: list[tuple[Record, str]] = []
        for record in records:
            event = record.event
            try:
                if event.topic == LABELS:
                    # Anyone may publish labels, under any id: one that a prediction's event has too is another event.
                    labels[f"{LABELS}/{event.id}"] = decode_labels(event)
                else:
                    batches += decode_batches(event)
            except InvalidInput as error:
                # Trying again can't mend its bytes, so the loop's patient way of dead-lettering is not for it.
                unsound.append((record, error.message))
        await self._counting.count(batches, labels)
        for record, why in unsound:
            await set_aside(self._consumer, record, why)
            log.error("dead-lettered an event: %s", why, extra={"event": record.event.id, "offset": record.offset})
            self._meters.dead_lettered()
