"""Consuming as one member of a group on Kafka, without holding up the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from slipway.events.kafka.address import Address
from slipway.events.kafka.hold import Place
from slipway.events.kafka.member import Member
from slipway.events.kafka.publisher import KafkaPublisher
from slipway.events.kafka.records import letter
from slipway.events.kafka.thread import KafkaThread
from slipway.events.kafka.topics import Topics
from slipway.events.port import Record

_SLICE_S = 0.2


class KafkaConsumer:
    """See :class:`slipway.events.Consumer`; :class:`Member` says when it joins, and what it is Fenced by."""

    def __init__(
        self,
        thread: KafkaThread,
        *,
        address: Address,
        names: Sequence[str],
        group: str,
        topics: Topics,
        publisher: KafkaPublisher,
    ) -> None:
        self._thread = thread
        self._group = group
        self._publisher = publisher
        self._member = Member(address=address, names=names, group=group, topics=topics)
        thread.run_last(self._member.close)

    async def poll(self, limit: int, timeout_s: float) -> Sequence[Record]:
        """See :meth:`slipway.events.Consumer.poll`."""
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + timeout_s
        while True:
            left_s = max(0.0, give_up_at - loop.time())
            found = await self._thread.run(self._member.take, limit, min(left_s, _SLICE_S))
            if found or not left_s:
                # Only what has arrived counts as polled: a call may be cancelled while the thread works for it.
                self._member.accepted += len(found)
                return found

    async def commit(self, records: Sequence[Record]) -> None:
        """See :meth:`slipway.events.Consumer.commit`."""
        reached: dict[Place, int] = {}
        for record in records:
            place = record.event.topic, record.partition
            reached[place] = max(reached.get(place, 0), record.offset + 1)
        if reached:
            await self._thread.run(self._member.commit, reached)

    async def dead_letter(self, record: Record, error: str) -> None:
        """See :meth:`slipway.events.Consumer.dead_letter`; only by another member is a record set aside twice."""
        hold = await self._thread.run(self._member.require_held, (record.event.topic, record.partition))
        if record.offset not in hold.letters:
            await self._publisher.send([letter(record, self._group, error)], [record.event.id])
            hold.letters.add(record.offset)
