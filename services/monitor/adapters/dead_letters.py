"""Dead letters in the event log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.monitor.domain.dead_letter import DeadLetter
from slipway.events import EventLog, Record

_LARGEST = 2**63 - 1


class LogDeadLetters:
    """The dead letters of ``topic``, such as ``inference.predictions.v1.monitor.dlq``, in its partition 0."""

    def __init__(self, log: EventLog, topic: str) -> None:
        self._log = log
        self._topic = topic

    async def read(self, position: int, limit: int) -> Sequence[DeadLetter]:
        """See DeadLetters."""
        return [_letter(record) for record in await self._log.read(self._topic, position, limit)]


def _letter(record: Record) -> DeadLetter:
    event, headers = record.event, record.event.headers
    return DeadLetter(
        position=record.offset,
        event_id=event.id,
        topic=headers.get("dlq-topic", ""),
        partition=_whole(headers, "dlq-partition", 2**31 - 1),
        offset=_whole(headers, "dlq-offset", _LARGEST),
        key=event.key,
        time=event.time,
        error=headers.get("dlq-error", ""),
        size_bytes=len(event.value),
        value=event.value,
    )


def _whole(headers: Mapping[str, str], name: str, most: int) -> int | None:
    """The number in a header; None of what somebody published there by hand and is none."""
    text = headers.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most))):
        return None
    return number if (number := int(text)) <= most else None
