"""Dead letters in the event log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.monitor.domain.dead_letter import DeadLetter
from slipway.events import EventLog, Record

_LARGEST = 2**63 - 1
# A position is an offset in one of the topics: each topic has a range of its own, far beyond what a log can hold.
_TOPIC_ROOM = 2**56


class LogDeadLetters:
    """The dead letters of ``topics``, such as ``inference.predictions.v1.monitor.dlq``, in partition 0 of each.

    Topic by topic: what is set aside later in an earlier topic is not after what a reader has seen of a later one.
    """

    def __init__(self, log: EventLog, *topics: str) -> None:
        self._log = log
        self._topics = topics

    async def read(self, position: int, limit: int) -> Sequence[DeadLetter]:
        """See DeadLetters."""
        first, offset = divmod(position, _TOPIC_ROOM)
        found: list[DeadLetter] = []
        for place, topic in enumerate(self._topics[first:], start=first):
            records = await self._log.read(topic, offset, limit - len(found))
            found += [_letter(record, place * _TOPIC_ROOM) for record in records]
            offset = 0
            if len(found) >= limit:
                break
        return found


def _letter(record: Record, first: int) -> DeadLetter:
    event, headers = record.event, record.event.headers
    return DeadLetter(
        position=first + record.offset,
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
