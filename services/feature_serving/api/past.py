"""What the event log still holds of the rows that were published."""

from __future__ import annotations

from collections.abc import AsyncIterator

from services.feature_serving.codec.online import decode_event
from services.feature_serving.domain.rows import Rows
from slipway.errors import InvalidInput
from slipway.events import EventLog

_AT_ONCE = 500


class LoggedPast:
    """See Past."""

    def __init__(self, log: EventLog, topic: str) -> None:
        self._log = log
        self._topic = topic

    async def rows(self) -> AsyncIterator[Rows]:
        """See Past."""
        for part in await self._log.topics([self._topic]):
            offset = part.first_offset
            while offset < part.next_offset:
                records = await self._log.read(self._topic, offset, _AT_ONCE, part.partition)
                if not records:
                    # What was there a moment ago has grown too old.
                    break
                offset = records[-1].offset + 1
                for record in records:
                    try:
                        yield decode_event(record.event.value)
                    except InvalidInput:
                        continue
