"""Topics on the brokers: made before they are used, and looked at."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Sequence

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, OffsetSpec, ResourceType  # type: ignore[attr-defined]

from slipway.events.kafka import settings
from slipway.events.kafka.address import Address
from slipway.events.kafka.failure import code_of
from slipway.events.port import TopicInfo

_CONFIG = "max.message.bytes"
_LETTERS = ".dlq"
_EARLIEST, _LATEST = OffsetSpec.earliest(), OffsetSpec.latest()  # type: ignore[no-untyped-call]


class Topics:
    """What the brokers know of topics. Its calls block and may come from several threads.

    Each raises KafkaException.
    """

    def __init__(self, address: Address, limit_bytes: int) -> None:
        self._address = address
        self._limit_bytes = limit_bytes
        self._largest: dict[str, int] = {}
        self._lock = threading.Lock()
        self._opened: AdminClient | None = None

    def ensure(self, names: Collection[str]) -> None:
        """Make those topics that are not there yet; what each takes is known then."""
        with self._lock:
            missing = sorted(set(names) - self._largest.keys())
            if not missing:
                return
            known = self._admin.list_topics(timeout=self._address.timeout_s)
            self._make([name for name in missing if self.on_brokers(name) not in known.topics], len(known.brokers))
            self._largest |= self._look_up(missing)

    def largest(self, name: str) -> int:
        """The most bytes that a message on a topic may have, which :meth:`ensure` has seen."""
        return self._largest[name]

    def forget(self, names: Iterable[str]) -> None:
        """These may be gone: look again before they are used."""
        with self._lock:
            for name in names:
                self._largest.pop(name, None)

    def infos(self, names: Collection[str] = ()) -> list[TopicInfo]:
        """Every partition of those topics, or of all of ours, by name."""
        wanted = {self.on_brokers(name) for name in names}
        found = self._admin.list_topics(timeout=self._address.timeout_s).topics
        places = [
            TopicPartition(name, partition)
            for name, topic in found.items()
            if not name.startswith("__") and name.startswith(self._address.prefix) and (not wanted or name in wanted)
            for partition in topic.partitions
        ]
        first, following = self._offsets(places, _EARLIEST), self._offsets(places, _LATEST)
        named = sorted((self.ours(topic), partition, topic) for topic, partition in first.keys() & following.keys())
        return [
            TopicInfo(name, partition, start, end, end - start)
            for name, partition, topic in named
            for start, end in [(first[topic, partition], following[topic, partition])]
        ]

    def committed(self, group: str, names: Sequence[str]) -> dict[tuple[str, int], int]:
        """Where a group goes on in each partition of those topics; those without a commit are left out."""
        asked = ConsumerGroupTopicPartitions(f"{self._address.prefix}{group}")
        wanted = {self.on_brokers(name) for name in names}
        futures = self._admin.list_consumer_group_offsets([asked], request_timeout=self._address.timeout_s)
        (answer,) = [future.result() for future in futures.values()]
        return {
            (self.ours(one.topic), one.partition): one.offset
            for one in answer.topic_partitions
            if one.topic in wanted and one.offset >= 0
        }

    def on_brokers(self, name: str) -> str:
        """What the brokers call our topic."""
        return f"{self._address.prefix}{name}"

    def ours(self, name: str) -> str:
        """What we call a topic of the brokers."""
        return name[len(self._address.prefix) :]

    @property
    def _admin(self) -> AdminClient:
        if self._opened is None:
            self._opened = AdminClient(settings.common(self._address))
        return self._opened

    def _make(self, names: Sequence[str], brokers: int) -> None:
        if not names:
            return
        copies = self._address.replication or min(3, max(1, brokers))
        new = [
            NewTopic(
                self.on_brokers(name),
                # The few that are set aside keep their order.
                num_partitions=1 if name.endswith(_LETTERS) else self._address.partitions,
                replication_factor=copies,
                config={
                    _CONFIG: str(self._limit_bytes + settings.ROOM_BYTES * (2 if name.endswith(_LETTERS) else 1)),
                    "min.insync.replicas": str(2 if copies > 2 else 1),
                },
            )
            for name in names
        ]
        timeout_s = self._address.timeout_s
        for future in self._admin.create_topics(new, request_timeout=timeout_s, operation_timeout=timeout_s).values():
            try:
                future.result()
            except KafkaException as error:
                # Another process was first.
                if code_of(error).code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise

    def _look_up(self, names: Sequence[str]) -> dict[str, int]:
        asked = {ConfigResource(ResourceType.TOPIC, self.on_brokers(name)): name for name in names}
        futures = self._admin.describe_configs(list(asked), request_timeout=self._address.timeout_s)
        return {self.ours(one.name): int(future.result()[_CONFIG].value) for one, future in futures.items()}

    def _offsets(self, places: Sequence[TopicPartition], spec: OffsetSpec) -> dict[tuple[str, int], int]:
        if not places:
            return {}
        futures = self._admin.list_offsets(dict.fromkeys(places, spec), request_timeout=self._address.timeout_s)
        return {(one.topic, one.partition): future.result().offset for one, future in futures.items()}
