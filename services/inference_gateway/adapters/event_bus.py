"""The event bus, opened as soon as it can be: a gateway starts and answers without it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from slipway.errors import InvalidInput, SlipwayError
from slipway.events import Consumer, Event, EventLog
from slipway.events.connect import open_log
from slipway.failpoints import hit_async

log = logging.getLogger(__name__)


class EventBus:
    """See :class:`services.inference_gateway.ports.Bus`; on the log that a URL names, made by :meth:`at`."""

    def __init__(self, url: str, member: str, opened: AsyncExitStack) -> None:
        self._url = url
        self._member = member
        self._opened = opened
        self._opening = asyncio.Lock()
        self._log: EventLog | None = None

    @classmethod
    @asynccontextmanager
    async def at(cls, url: str, member: str) -> AsyncIterator[EventBus]:
        """The bus, open or still away; closed on leaving. Raises InvalidInput for a URL that names none.

        ``member`` is this gateway's own name among those that share a group's topics.
        """
        async with AsyncExitStack() as opened:
            bus = cls(url, member, opened)
            try:
                await bus._open()
            except InvalidInput:
                raise
            except SlipwayError as error:
                log.warning("starting without the event bus", extra={"why": error.message})
            yield bus

    async def publish(self, events: Sequence[Event]) -> None:
        """See Publisher; a bus that can't be opened yet fails as one that can't be written."""
        publisher = (await self._open()).publisher()
        await hit_async("events.publish.before")
        await publisher.publish(events)
        await hit_async("events.publish.after")

    @asynccontextmanager
    async def consumer(self, topics: Sequence[str], group: str) -> AsyncIterator[Consumer]:
        """See Bus."""
        async with (await self._open()).consumer(topics, group, self._member) as consumer:
            yield consumer

    async def _open(self) -> EventLog:
        async with self._opening:
            if self._log is None:
                self._log = await self._opened.enter_async_context(open_log(self._url))
            return self._log
