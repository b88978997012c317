"""How far counting is behind the log."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from services.monitor.ports import Meters
from slipway.clock import Clock
from slipway.errors import SlipwayError
from slipway.events import EventLog

log = logging.getLogger(__name__)


class Lag:
    """Compares the log's end with what ``group`` has committed, every ``every_s`` seconds, whoever counts what."""

    def __init__(
        self,
        events: EventLog,
        topics: Sequence[str],
        group: str,
        *,
        clock: Clock,
        meters: Meters,
        every_s: float = 15.0,
    ) -> None:
        self._events = events
        self._topics = topics
        self._group = group
        self._clock = clock
        self._meters = meters
        self._every_s = every_s

    async def run(self) -> None:
        """Measure until cancelled; a log that does not answer is asked again."""
        while True:
            try:
                await self.measure()
            except SlipwayError as error:
                log.warning("the lag is not known: %s", error.message)
            await self._clock.sleep(self._every_s)

    async def measure(self) -> int:
        """Events that are still to be counted."""
        infos = await self._events.topics(self._topics)
        reached = await self._events.committed(self._topics, self._group)
        behind = sum(
            max(0, info.next_offset - reached.get((info.name, info.partition), info.first_offset)) for info in infos
        )
        self._meters.lag(behind)
        return behind
