"""Keeping what was seen from growing for ever."""

from __future__ import annotations

import logging
from datetime import timedelta

from services.training_scheduler.ports import Runs
from slipway.clock import Clock
from slipway.errors import Kind, SlipwayError

_log = logging.getLogger(__name__)
_PASSING = {Kind.UNAVAILABLE, Kind.RESOURCE_EXHAUSTED}


class Upkeep:
    """Forgets, once every hour, incidents seen more than ``inbox_days`` ago: no log delivers them again."""

    def __init__(self, runs: Runs, clock: Clock, inbox_days: int, every_s: float = 3600.0) -> None:
        self._runs = runs
        self._clock = clock
        self._keep = timedelta(days=inbox_days)
        self._every_s = every_s

    async def run(self) -> None:
        """Forget now and then, until cancelled; what is busy now is forgotten next time."""
        while True:
            try:
                async with self._runs.write() as runs:
                    await runs.forget(self._clock.now() - self._keep)
            except SlipwayError as error:
                if error.kind not in _PASSING:
                    raise
                _log.warning("what is old stays for now: %s", error.message)
            await self._clock.sleep(self._every_s)
