"""Topics on the brokers, made before they are used."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType  # type: ignore[attr-defined]

from slipway.events.kafka import settings
from slipway.events.kafka.address import Address
from slipway.events.kafka.failure import GONE, BrokersAway, code_of

T = TypeVar("T")
_CONFIG = "max.message.bytes"
_LETTERS = ".dlq"
_LOOK_AGAIN_S = 0.1


class Topics:
    """Makes topics, and knows what they take. Its calls block and may come from several threads.

    Each raises KafkaException or Unavailable. The driver's calls about groups are not used here: it ends the process
    when such an answer comes after its time.
    """

    def __init__(self, address: Address, limit_bytes: int) -> None:
        self._address = address
        self._limit_bytes = limit_bytes
        self._largest: dict[str, int] = {}
        self._lock = threading.Lock()
        self._opened: AdminClient | None = None
        self._stuck: list[AdminClient] = []

    def ensure(self, names: Collection[str]) -> None:
        """Make those topics that are not there yet; what each takes is known then."""
        with self._lock:
            missing = sorted(set(names) - self._largest.keys())
            if not missing:
                return
            known = self._admin.list_topics(timeout=self._address.timeout_s)
            fresh = [name for name in missing if self.on_brokers(name) not in known.topics]
            # A cluster that starts does not name all of its brokers yet, but whoever gave us the address did.
            self._make(fresh, max(len(known.brokers), self._address.brokers))
            # Brokers need a moment to know a new topic's settings, and we know them already.
            self._largest |= {name: self._limit_of(name) for name in fresh}
            self._largest |= self._look_up([name for name in missing if name not in fresh])

    def largest(self, name: str) -> int:
        """The most bytes that a message on a topic may have, which :meth:`ensure` has seen."""
        return self._largest[name]

    def forget(self, names: Iterable[str]) -> None:
        """These may be gone: look again before they are used."""
        with self._lock:
            for name in names:
                self._largest.pop(name, None)

    def on_brokers(self, name: str) -> str:
        """What the brokers call our topic."""
        return f"{self._address.prefix}{name}"

    def ours(self, name: str) -> str:
        """What we call a topic of the brokers."""
        return name[len(self._address.prefix) :]

    @property
    def _admin(self) -> AdminClient:
        if self._opened is None:
            self._opened = AdminClient(settings.asking(self._address))
        return self._opened

    def _make(self, names: Sequence[str], brokers: int) -> None:
        if not names:
            return
        copies = self._address.replication or min(3, max(1, brokers))
        new = [self._new(name, copies) for name in names]
        timeout_s = self._address.timeout_s
        made = self._admin.create_topics(new, request_timeout=timeout_s, operation_timeout=timeout_s)
        for future in made.values():
            try:
                self._answer(future)
            except KafkaException as error:
                # Another process was first.
                if code_of(error).code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise

    def _new(self, name: str, copies: int) -> NewTopic:
        return NewTopic(
            self.on_brokers(name),
            # The few that are set aside keep their order.
            num_partitions=1 if name.endswith(_LETTERS) else self._address.partitions,
            replication_factor=copies,
            config={_CONFIG: str(self._limit_of(name)), "min.insync.replicas": str(2 if copies > 2 else 1)},
        )

    def _limit_of(self, name: str) -> int:
        """What a topic takes that is made here; a dead letter is larger than what it was."""
        return self._limit_bytes + settings.ROOM_BYTES * (2 if name.endswith(_LETTERS) else 1)

    def _look_up(self, names: Sequence[str]) -> dict[str, int]:
        """What topics take that one broker named; another one may not have heard of a new topic yet."""
        give_up_at = time.monotonic() + self._address.timeout_s
        while names:
            try:
                return self._described(names)
            except KafkaException as error:
                if code_of(error).code() not in GONE or time.monotonic() >= give_up_at:
                    raise
                time.sleep(_LOOK_AGAIN_S)
        return {}

    def _described(self, names: Sequence[str]) -> dict[str, int]:
        asked = [ConfigResource(ResourceType.TOPIC, self.on_brokers(name)) for name in names]
        futures: Mapping[Any, Future[Any]]
        futures = self._admin.describe_configs(asked, request_timeout=self._address.timeout_s)
        return {self.ours(one.name): int(self._answer(future)[_CONFIG].value) for one, future in futures.items()}

    def _answer(self, future: Future[T]) -> T:
        try:
            return future.result(self._address.timeout_s + 1)
        except TimeoutError:
            # The driver has lost the answer, and may not let go of the client either.
            if self._opened is not None:
                self._stuck.append(self._opened)
            self._opened = None
            raise BrokersAway("Kafka has not answered in time; see to its brokers", retry_after_s=0.5) from None
