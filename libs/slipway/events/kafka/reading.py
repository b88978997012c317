"""Looking at a topic outside of any group."""

from __future__ import annotations

import time
from collections.abc import Sequence

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from slipway.events.kafka import settings
from slipway.events.kafka.address import Address
from slipway.events.kafka.failure import GONE, BrokersAway, code_of
from slipway.events.kafka.records import Received, received

_SLICE_S = 0.2


class Reader:
    """Reads from any offset; its calls block, and come from one thread."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._client: Consumer | None = None

    def close(self) -> None:
        """Let go of the brokers."""
        if self._client is not None:
            self._client.close()

    def read(self, topic: str, offset: int, limit: int, partition: int) -> Sequence[Received]:
        """Up to ``limit`` records from ``offset`` on; none of a topic or partition that is not there."""
        if self._client is None:
            self._client = Consumer(settings.reading(self._address))
        place = TopicPartition(f"{self._address.prefix}{topic}", partition)
        try:
            first, following = self._client.get_watermark_offsets(place, timeout=self._address.timeout_s)
        except KafkaException as error:
            if code_of(error).code() in GONE:
                return []
            raise
        if offset >= following or limit < 1:
            return []
        place.offset = max(offset, first)
        self._client.assign([place])
        try:
            return self._gather(self._client, topic, following, limit)
        finally:
            self._client.unassign()

    def _gather(self, client: Consumer, topic: str, following: int, limit: int) -> Sequence[Received]:
        found: list[Received] = []
        give_up_at = time.monotonic() + self._address.timeout_s
        while len(found) < limit:
            for message in client.consume(1, _SLICE_S) + client.consume(limit - len(found), 0):
                error = message.error()
                if error is not None:
                    if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001
                        return found[:limit]
                    raise KafkaException(error)
                found.append(received(message, topic))
                if found[-1].offset + 1 >= following:
                    return found[:limit]
            if time.monotonic() >= give_up_at:
                raise BrokersAway("Kafka gave no more records in time; see to its brokers", retry_after_s=0.5)
        return found[:limit]
