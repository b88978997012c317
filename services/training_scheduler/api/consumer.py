"""The monitor's incidents, read as the group ``training_scheduler``."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from services.training_scheduler.codec import decode_incident
from services.training_scheduler.engine.answering import Answering
from slipway.clock import Clock
from slipway.errors import InvalidInput
from slipway.events import Consumer, Record, consume, set_aside

INCIDENTS = "monitor.incident.v1"
GROUP = "training_scheduler"
log = logging.getLogger(__name__)


class Intake:
    """Answers every incident that opened and sets aside what is none, so that it holds up nothing."""

    def __init__(self, consumer: Consumer, answering: Answering, clock: Clock) -> None:
        self._consumer = consumer
        self._answering = answering
        self._clock = clock

    async def run(self) -> None:
        """Consume until cancelled. Raises Fenced when another scheduler took over."""
        await consume(self._consumer, self.handle, clock=self._clock)

    async def handle(self, records: Sequence[Record]) -> None:
        """Take ``records`` in; may be given any of them again."""
        for record in records:
            try:
                incident = decode_incident(record.event)
            except InvalidInput as error:
                # Trying again can't mend its bytes.
                await set_aside(self._consumer, record, error.message)
                log.error(
                    "dead-lettered an event: %s",
                    error.message,
                    extra={"event": record.event.id, "offset": record.offset},
                )
                continue
            if incident is not None:
                await self._answering.answer(incident)
