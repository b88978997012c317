"""Looking at topics and groups without being a member of any."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence

from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, Consumer, KafkaError, KafkaException, TopicPartition

from slipway.events.kafka import settings
from slipway.events.kafka.address import Address
from slipway.events.kafka.failure import GONE, BrokersAway, code_of
from slipway.events.kafka.records import Received, received
from slipway.events.port import TopicInfo

_SLICE_S = 0.2


class Reader:
    """Reads from any offset, and tells how far topics and groups are. Its calls block, and come from one thread.

    Each raises KafkaException or Unavailable.
    """

    def __init__(self, address: Address) -> None:
        self._address = address
        self._prefix = address.prefix
        self._opened: Consumer | None = None
        self._groups: dict[str, Consumer] = {}

    def close(self) -> None:
        """Let go of the brokers."""
        for client in (self._opened, *self._groups.values()):
            if client is not None:
                client.close()

    def read(self, topic: str, offset: int, limit: int, partition: int) -> Sequence[Received]:
        """Up to ``limit`` records from ``offset`` on; none of a topic or partition that is not there."""
        client, place = self._client, TopicPartition(f"{self._prefix}{topic}", partition)
        try:
            first, following = client.get_watermark_offsets(place, timeout=self._address.timeout_s)
        except KafkaException as error:
            if code_of(error).code() in GONE:
                return []
            raise
        if offset >= following or limit < 1:
            return []
        place.offset = max(offset, first)
        client.assign([place])
        try:
            return self._gather(client, topic, following, limit)
        finally:
            client.unassign()

    def infos(self, names: Collection[str]) -> list[TopicInfo]:
        """Every partition of those topics, or of all of ours, by name and number."""
        first, following = self._ends(self._places(names))
        return [
            TopicInfo(name, partition, first[name, partition], end, end - first[name, partition])
            for (name, partition), end in sorted(following.items())
            if (name, partition) in first
        ]

    def committed(self, topics: Collection[str], group: str) -> dict[tuple[str, int], int]:
        """Where a group goes on in each partition of those topics; those without a commit are left out."""
        places = self._places(topics)
        if group not in self._groups:
            self._groups[group] = Consumer(settings.asking(self._address) | {"group.id": f"{self._prefix}{group}"})
        found = self._groups[group].committed(places, timeout=self._address.timeout_s) if places else []
        return {
            (one.topic[len(self._prefix) :], one.partition): one.offset
            for one in found
            if one.error is None and one.offset >= 0
        }

    @property
    def _client(self) -> Consumer:
        if self._opened is None:
            self._opened = Consumer(settings.reading(self._address))
        return self._opened

    def _places(self, names: Collection[str]) -> list[TopicPartition]:
        wanted = {f"{self._prefix}{name}" for name in names}
        found = self._client.list_topics(timeout=self._address.timeout_s).topics
        return [
            TopicPartition(name, partition)
            for name, topic in found.items()
            if not name.startswith("__") and name.startswith(self._prefix) and (not wanted or name in wanted)
            for partition in topic.partitions
        ]

    def _ends(self, places: Sequence[TopicPartition]) -> tuple[dict[tuple[str, int], int], ...]:
        if not places:
            return {}, {}
        asked = [
            [TopicPartition(place.topic, place.partition, end) for place in places]
            for end in (OFFSET_BEGINNING, OFFSET_END)
        ]
        found = [self._client.offsets_for_times(ends, timeout=self._address.timeout_s) for ends in asked]
        return tuple(
            {
                (one.topic[len(self._prefix) :], one.partition): one.offset
                for one in ends
                if one.error is None and one.offset >= 0
            }
            for ends in found
        )

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
