"""Letting old events go, as a broker does."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from datetime import timedelta

from slipway.clock import Clock
from slipway.errors import SlipwayError
from slipway.events.sqlite.log import SqliteEventLog

log = logging.getLogger(__name__)

_FIRST_S = 60.0  # whoever opens the log for a command's time has nothing to do with it
_EVERY_S = 3600.0


class Retention:
    """Trims every topic by age. Each process that has the log open does so; all but the first find nothing to do."""

    def __init__(self, events: SqliteEventLog, retain: timedelta, clock: Clock) -> None:
        self._events = events
        self._retain = retain
        self._clock = clock

    async def run(self) -> None:
        """Trim until cancelled."""
        await self._clock.sleep(_FIRST_S)
        while True:
            try:
                await self.trim()
            except SlipwayError as error:
                log.warning("old events stay for now", extra={"why": error.message})
            except Exception:
                log.exception("old events stay for now, by a defect")
            await self._clock.sleep(_EVERY_S)

    async def trim(self) -> int:
        """Let go what is too old; how many events that were. Groups that were still to read them lose them."""
        older_than = self._clock.now() - self._retain
        gone = 0
        for topic in await self._events.topics():
            if topic.count:
                gone += await self._events.trim(topic.name, older_than=older_than)
        if gone:
            log.info("let old events go", extra={"events": gone, "older_than": older_than.isoformat()})
        return gone

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Trim while this lasts."""
        task = asyncio.create_task(self.run(), name="retention of the event log")
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
