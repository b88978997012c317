"""Keeping what waits and what was seen from growing for ever."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta

from services.monitor.domain.label import LabelTally
from services.monitor.ports import Windows
from slipway.clock import Clock
from slipway.errors import Kind, SlipwayError

log = logging.getLogger(__name__)
_PASSING = {Kind.UNAVAILABLE, Kind.RESOURCE_EXHAUSTED}


class Upkeep:
    """Forgets what is too old, once every hour.

    Ids of events that were counted more than ``inbox_days`` ago: their offsets are long committed, so no log delivers
    them again. Predictions and labels that came more than ``join_days`` ago, by the clock and not by event time, for a
    replayed year comes in an hour. Their windows stay. Features that waited as long for a baseline.
    """

    def __init__(
        self, windows: Windows, clock: Clock, *, inbox_days: int, join_days: int, every_s: float = 3600.0
    ) -> None:
        self._windows = windows
        self._clock = clock
        self._keep = timedelta(days=inbox_days)
        self._join = timedelta(days=join_days)
        self._every_s = every_s

    async def run(self) -> None:
        """Forget now and then, until cancelled; what is busy now is forgotten next time."""
        while True:
            try:
                forgotten = await self.forget()
                expired = await self.prune()
                await self.give_up()
            except SlipwayError as error:
                if error.kind not in _PASSING:
                    raise
                log.warning("what is old stays for now: %s", error.message)
            else:
                log.info("forgot what is old", extra={"events": forgotten, "labels_expired": expired.total()})
            await self._clock.sleep(self._every_s)

    async def forget(self) -> int:
        """Forget ids once; how many went."""
        async with self._windows.write() as windows:
            return await windows.forget(self._clock.now() - self._keep)

    async def prune(self) -> Counter[str]:
        """Forget predictions and labels once; how many labels waited in vain, by endpoint. Each is counted as such."""
        async with self._windows.write() as windows:
            expired = Counter(await windows.joins.prune(self._clock.now() - self._join))
            for endpoint, labels in expired.items():
                await windows.joins.add_tally(endpoint, LabelTally(expired=labels))
        return expired

    async def give_up(self) -> Mapping[tuple[str, int], int]:
        """Forget features that waited in vain once; how many batches went, by model and version."""
        async with self._windows.write() as windows:
            dropped = await windows.waiting.prune(self._clock.now() - self._join)
        for (model, version), batches in dropped.items():
            told = "the registry said nothing of %s version %d: it is not judged; batches in no feature window: %d"
            log.warning(told, model, version, batches)
        return dropped
