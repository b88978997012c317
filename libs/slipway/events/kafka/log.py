"""The log's front: open it, publish, join, look."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from slipway.errors import invalid_field
from slipway.events.kafka.address import Address
from slipway.events.kafka.consumer import KafkaConsumer
from slipway.events.kafka.publisher import KafkaPublisher
from slipway.events.kafka.reading import Reader
from slipway.events.kafka.thread import KafkaThread
from slipway.events.kafka.topics import Topics
from slipway.events.port import DEFAULT_LIMIT_BYTES, Record, TopicInfo


class KafkaEventLog:
    """See :class:`slipway.events.EventLog`; made by :meth:`open`."""

    def __init__(
        self, address: Address, topics: Topics, publisher: KafkaPublisher, reader: Reader, looking: KafkaThread
    ) -> None:
        self._address = address
        self._topics = topics
        self._publisher = publisher
        self._reader = reader
        self._looking = looking

    @classmethod
    @asynccontextmanager
    async def open(cls, address: Address, *, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> AsyncIterator[KafkaEventLog]:
        """Open the log. No broker is asked for yet: what uses it says when none answers, and may be tried again."""
        topics, reader = Topics(address, limit_bytes), Reader(address)
        async with KafkaThread.open() as publishing, KafkaThread.open() as looking:
            looking.run_last(reader.close)
            publisher = KafkaPublisher(publishing, address, limit_bytes, topics)
            try:
                yield cls(address, topics, publisher, reader, looking)
            finally:
                publisher.stop()

    def publisher(self) -> KafkaPublisher:
        """See :meth:`slipway.events.EventLog.publisher`."""
        return self._publisher

    @asynccontextmanager
    async def consumer(self, topics: Sequence[str], group: str, member: str = "") -> AsyncIterator[KafkaConsumer]:
        """See :meth:`slipway.events.EventLog.consumer`."""
        if not topics:
            raise invalid_field("topics", "is empty; name at least one")
        async with KafkaThread.open() as thread:
            yield KafkaConsumer(
                thread,
                address=replace(self._address, member=member or self._address.member),
                names=topics,
                group=group,
                topics=self._topics,
                publisher=self._publisher,
            )

    async def read(self, topic: str, offset: int = 0, limit: int = 100, partition: int = 0) -> Sequence[Record]:
        """See :meth:`slipway.events.EventLog.read`."""
        return await self._looking.run(self._reader.read, topic, offset, limit, partition)

    async def topics(self, names: Collection[str] = ()) -> Sequence[TopicInfo]:
        """See :meth:`slipway.events.EventLog.topics`."""
        return await self._looking.run(self._reader.infos, names)

    async def committed(self, topics: Sequence[str], group: str) -> Mapping[tuple[str, int], int]:
        """See :meth:`slipway.events.EventLog.committed`."""
        return await self._looking.run(self._reader.committed, topics, group)
