"""How far counting is behind the log."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence

from services.monitor.ports import Meters
from slipway.clock import Clock
from slipway.errors import SlipwayError
from slipway.events import EventLog, Record

log = logging.getLogger(__name__)


class Lag:
    """Compares the log's end with what was counted, every ``every_s`` seconds.

    It knows where counting stands in a topic from the first record after the start on, and leaves it out before that.
    """

    def __init__(
        self, events: EventLog, topics: Collection[str], clock: Clock, meters: Meters, every_s: float = 15.0
    ) -> None:
        self._events = events
        self._topics = topics
        self._clock = clock
        self._meters = meters
        self._every_s = every_s
        self._next: dict[tuple[str, int], int] = {}

    def reached(self, records: Sequence[Record]) -> None:
        """These, and all before them, are counted."""
        for record in records:
            self._next[record.event.topic, record.partition] = record.offset + 1

    async def run(self) -> None:
        """Measure until cancelled; a log that does not answer is asked again."""
        while True:
            try:
                await self.measure()
            except SlipwayError as error:
                log.warning("the lag is not known: %s", error.message)
            await self._clock.sleep(self._every_s)

    async def measure(self) -> int | None:
        """Events that are still to be counted, None while that is not known."""
        if not self._next:
            return None
        infos = [info for info in await self._events.topics() if info.name in self._topics]
        ends = {(info.name, info.partition): info.next_offset for info in infos}
        behind = sum(max(0, ends.get(place, 0) - following) for place, following in self._next.items())
        self._meters.lag(behind)
        return behind
