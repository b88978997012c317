"""Keeping and telling which arms this gateway took to zero."""

from __future__ import annotations

import asyncio
import logging

from services.inference_gateway.engine.guard import Guard
from services.inference_gateway.ports import Announcer, DisabledArms
from slipway.clock import Clock
from slipway.errors import SlipwayError

log = logging.getLogger(__name__)

_FIRST_DELAY_S = 0.1
_LONGEST_DELAY_S = 5.0


class Announce:
    """On disk first, then on the event bus: told at least once, whenever the process is killed."""

    def __init__(self, guard: Guard, kept: DisabledArms, announcer: Announcer, clock: Clock, *, flush_s: float) -> None:
        self._guard = guard
        self._kept = kept
        self._announcer = announcer
        self._clock = clock
        self._flush_s = flush_s

    async def restore(self) -> None:
        """Take up what was disabled before the restart."""
        self._guard.restore(await self._kept.load())

    async def run(self) -> None:
        """Keep and tell every change until cancelled; while the bus is away, wait and try again."""
        delay = _FIRST_DELAY_S
        while True:
            await self._guard.changed.wait()
            self._guard.changed.clear()
            try:
                await self._settle()
                delay = _FIRST_DELAY_S
            except SlipwayError as error:
                log.warning("what was disabled is to be told again", extra={"why": error.message})
                self._guard.changed.set()
                await self._clock.sleep(delay)
                delay = min(delay * 2, _LONGEST_DELAY_S)

    async def flush(self) -> None:
        """One more try when the process ends; what fails is told at the next start."""
        try:
            async with asyncio.timeout(self._flush_s):
                if self._guard.changed.is_set() or self._guard.unannounced:
                    await self._settle()
        except (SlipwayError, TimeoutError) as error:
            log.warning("what was disabled is told at the next start", extra={"why": str(error) or "no time is left"})

    async def _settle(self) -> None:
        await self._kept.store(self._guard.state())
        waiting = self._guard.unannounced
        if not waiting:
            return
        while waiting:
            await self._announcer.announce(waiting[0])
            waiting.popleft()
        await self._kept.store(self._guard.state())
