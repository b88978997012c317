"""Keeping what was seen from growing for ever."""

from __future__ import annotations

import logging
from datetime import timedelta

from services.registry.ports import Catalogue
from slipway.clock import Clock
from slipway.errors import Kind, SlipwayError

log = logging.getLogger(__name__)
_PASSING = {Kind.UNAVAILABLE, Kind.RESOURCE_EXHAUSTED}


class Upkeep:
    """Forgets, once every hour, the ids of events that were taken more than ``inbox_days`` ago.

    Their offsets are long committed, so no log delivers them again; and what one says of a rollout that has ended
    changes nothing anyway.
    """

    def __init__(self, catalogue: Catalogue, clock: Clock, *, inbox_days: int, every_s: float = 3600.0) -> None:
        self._catalogue = catalogue
        self._clock = clock
        self._keep = timedelta(days=inbox_days)
        self._every_s = every_s

    async def run(self) -> None:
        """Forget now and then, until cancelled; what is busy now is forgotten next time."""
        while True:
            try:
                forgotten = await self.forget()
            except SlipwayError as error:
                if error.kind not in _PASSING:
                    raise
                log.warning("what is old stays for now: %s", error.message)
            else:
                log.info("forgot what is old", extra={"events": forgotten})
            await self._clock.sleep(self._every_s)

    async def forget(self) -> int:
        """Forget ids once; how many went."""
        async with self._catalogue.write() as catalogue:
            return await catalogue.forget(self._clock.now() - self._keep)
