"""Shipping the prediction log to the event bus, behind the answers."""

from __future__ import annotations

import asyncio
import logging

from services.inference_gateway.ports import PredictionLog
from slipway.clock import Clock
from slipway.errors import SlipwayError
from slipway.events import Event, Publisher

log = logging.getLogger(__name__)

# A transaction of the bus costs as much as some hundred answers in it, and takes a core from whoever answers.
_BATCH_BYTES = 1024 * 1024
# Of each of them the bus's own code takes some microseconds of the loop. No fewer than go together: adapters/parcel.py.
_BATCH_EVENTS = 512
_LINGER_S = 0.1
# Callers wait meanwhile: so much takes some tenths of a millisecond.
_BYTES_AT_ONCE = 64 * 1024
_EVENTS_AT_ONCE = 16
_IDLE_S = 0.05
_LONGEST_DELAY_S = 5.0


class Ship:
    """Publishes what the spool holds, in order, at least once; the ids tell repeats apart."""

    def __init__(
        self, prediction_log: PredictionLog, publisher: Publisher, clock: Clock, *, sync_s: float, flush_s: float
    ) -> None:
        self._log = prediction_log
        self._publisher = publisher
        self._clock = clock
        self._sync_s = sync_s
        self._flush_s = flush_s

    async def run(self) -> None:
        """Ship until cancelled; while the bus is away, wait and try again."""
        delay = _IDLE_S
        while True:
            try:
                shipped, all_of_them = await self.ship_some()
                delay = _IDLE_S
            except SlipwayError as error:
                log.warning("the prediction log waits", extra={"why": error.message})
                delay = min(delay * 2, _LONGEST_DELAY_S)
                await self._clock.sleep(delay)
                continue
            if all_of_them:
                await self._clock.sleep(_LINGER_S if shipped else _IDLE_S)

    async def ship_some(self) -> tuple[int, bool]:
        """Publish the oldest batches that wait; how many, and whether no others did."""
        events, all_of_them = await self._oldest()
        if events:
            await self._publisher.publish(events)
            self._log.shipped(events)
        return len(events), all_of_them

    async def _oldest(self) -> tuple[list[Event], bool]:
        events: list[Event] = []
        size = done = 0
        for event in self._log.unshipped():
            events.append(event)
            size += event.size_bytes
            if size >= _BATCH_BYTES or len(events) == _BATCH_EVENTS:
                return events, False
            if size - done >= _BYTES_AT_ONCE or not len(events) % _EVENTS_AT_ONCE:
                done = size
                await asyncio.sleep(0)
        return events, True

    async def flush(self) -> None:
        """Ship what is left when the process ends; what the bus does not take in time stays for the next start."""
        try:
            async with asyncio.timeout(self._flush_s):
                while not (await self.ship_some())[1]:
                    pass
        except (SlipwayError, TimeoutError) as error:
            log.warning("the prediction log goes on at the next start", extra={"why": str(error) or "no time is left"})
        self._log.sync()

    async def keep_synced(self) -> None:
        """Sync the spool to the disk every ``sync_s``, which bounds what a power cut can take."""
        while True:
            await self._clock.sleep(self._sync_s)
            try:
                await self._log.sync_aside()
            except SlipwayError as error:
                log.warning("the spool can't be synced", extra={"why": error.message})
