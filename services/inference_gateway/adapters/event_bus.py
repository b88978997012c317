"""The event bus, opened as soon as it can be: a gateway starts and answers without it."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from slipway.errors import InvalidInput, SlipwayError
from slipway.events import Event, Publisher
from slipway.events.connect import open_log
from slipway.failpoints import hit_async

log = logging.getLogger(__name__)


class EventBus:
    """A :class:`slipway.events.Publisher` on the log that a URL names; made by :meth:`at`."""

    def __init__(self, url: str, opened: AsyncExitStack) -> None:
        self._url = url
        self._opened = opened
        self._publisher: Publisher | None = None

    @classmethod
    @asynccontextmanager
    async def at(cls, url: str) -> AsyncIterator[EventBus]:
        """The bus, open or still away; closed on leaving. Raises InvalidInput for a URL that names none."""
        async with AsyncExitStack() as opened:
            bus = cls(url, opened)
            try:
                await bus._open()
            except InvalidInput:
                raise
            except SlipwayError as error:
                log.warning("starting without the event bus", extra={"why": error.message})
            yield bus

    async def publish(self, events: Sequence[Event]) -> None:
        """See Publisher; a bus that can't be opened yet fails as one that can't be written."""
        publisher = self._publisher or await self._open()
        await hit_async("events.publish.before")
        await publisher.publish(events)
        await hit_async("events.publish.after")

    async def _open(self) -> Publisher:
        event_log = await self._opened.enter_async_context(open_log(self._url))
        self._publisher = event_log.publisher()
        return self._publisher
