"""Keeping the ids of counted events from growing for ever."""

from __future__ import annotations

import logging
from datetime import timedelta

from services.feature_serving.ports.windows import Windows
from slipway.clock import Clock
from slipway.errors import Kind, SlipwayError

log = logging.getLogger(__name__)
_PASSING = {Kind.UNAVAILABLE, Kind.RESOURCE_EXHAUSTED}


class Upkeep:
    """Forgets, once every hour, the ids that were counted more than ``inbox_days`` ago.

    Their offsets are long committed, so no log delivers them again.
    """

    def __init__(self, windows: Windows, clock: Clock, *, inbox_days: int, every_s: float = 3600.0) -> None:
        self._windows = windows
        self._clock = clock
        self._keep = timedelta(days=inbox_days)
        self._every_s = every_s

    async def run(self) -> None:
        """Forget now and then, until cancelled; what is busy now is forgotten next time."""
        while True:
            try:
                log.info("forgot old ids", extra={"events": await self.forget()})
            except SlipwayError as error:
                if error.kind not in _PASSING:
                    raise
                log.warning("what is old stays for now: %s", error.message)
            await self._clock.sleep(self._every_s)

    async def forget(self) -> int:
        """Forget once; how many ids went."""
        async with self._windows.write() as windows:
            return await windows.forget(self._clock.now() - self._keep)
