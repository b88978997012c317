"""Rows of feature views from the event log, read as the group ``feature_serving``."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from services.feature_serving.codec.online import decode_event
from services.feature_serving.engine.intake import Intake, Taken
from services.feature_serving.ports.meters import Meters
from slipway.clock import Clock
from slipway.errors import InvalidInput, NotFound
from slipway.events import Consumer, Record, consume, set_aside

TOPIC = "features.rows.v1"
GROUP = "feature_serving"
log = logging.getLogger(__name__)


class Ingestion:
    """Applies every sound event in order and sets the others aside, so that none holds up the rest.

    While the online store or the catalogue does not answer it waits: nothing is set aside for that. ``turn`` is held
    over each batch: who holds it meanwhile writes rows of the past.
    """

    def __init__(self, consumer: Consumer, intake: Intake, meters: Meters, clock: Clock, turn: asyncio.Lock) -> None:
        self._turn = turn
        self._consumer = consumer
        self._intake = intake
        self._meters = meters
        self._clock = clock

    async def run(self) -> None:
        """Consume until cancelled. Raises Fenced when another process took over."""
        await self._intake.resume()
        await consume(
            self._consumer, self.handle, clock=self._clock, on_dead_letter=lambda _: self._meters.dead_lettered()
        )

    async def handle(self, records: Sequence[Record]) -> None:
        """Apply ``records`` in order, their events together; may be given any of them again."""
        async with self._turn:
            await self._handle(records)

    async def _handle(self, records: Sequence[Record]) -> None:
        taken: list[Taken] = []
        for record in records:
            try:
                taken.append(await self._intake.take(record.event.id, decode_event(record.event.value)))
            except (InvalidInput, NotFound) as error:
                # Trying again can't mend it, so the loop's patient way of dead-lettering is not for it.
                await set_aside(self._consumer, record, error.message)
                facts = {"event": record.event.id, "offset": record.offset}
                log.error("dead-lettered an event: %s", error.message, extra=facts)
                self._meters.dead_lettered()
        await self._intake.settle(taken)
