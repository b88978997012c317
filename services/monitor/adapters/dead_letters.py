"""Dead letters in the event log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.monitor.domain.dead_letter import DeadLetter
from slipway.events import EventLog, Record, TopicInfo

_LARGEST = 2**63 - 1
# A position is an offset in one partition of one of the topics: each has a range of its own, far beyond what a log can
# hold.
_TOPIC_ROOM, _PARTITION_ROOM = 2**56, 2**44


class LogDeadLetters:
    """The dead letters of ``topics``, such as ``inference.predictions.v1.monitor.dlq``.

    Topic by topic and partition by partition: what is set aside later in an earlier one is not after what a reader has
    seen of a later one.
    """

    def __init__(self, log: EventLog, *topics: str) -> None:
        self._log = log
        self._topics = topics

    async def read(self, position: int, limit: int) -> Sequence[DeadLetter]:
        """See DeadLetters."""
        found: list[DeadLetter] = []
        for first, place in await self._places():
            offset = max(0, position - first)
            if offset < min(place.next_offset, _PARTITION_ROOM) and len(found) < limit:
                records = await self._log.read(place.name, offset, limit - len(found), place.partition)
                found += [_letter(record, first) for record in records]
        return found

    async def _places(self) -> Sequence[tuple[int, TopicInfo]]:
        infos = await self._log.topics(self._topics)
        firsts = [self._topics.index(one.name) * _TOPIC_ROOM + one.partition * _PARTITION_ROOM for one in infos]
        return sorted(zip(firsts, infos, strict=True), key=lambda place: place[0])


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
