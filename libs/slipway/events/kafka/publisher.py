"""Publishing: everything is acknowledged, or the caller is told."""

from __future__ import annotations

import time
from collections.abc import Sequence
from threading import Event as Flag

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from slipway.events.errors import EventTooLarge
from slipway.events.kafka import settings
from slipway.events.kafka.address import Address
from slipway.events.kafka.failure import BrokersAway, PublishQueueFull, translate
from slipway.events.kafka.records import Outgoing, outgoing
from slipway.events.kafka.thread import KafkaThread
from slipway.events.kafka.topics import Topics
from slipway.events.port import Event, require_within

_SLICE_S = 0.1
_WAITING_BYTES = 64 * 1024 * 1024


class KafkaPublisher:
    """See :class:`slipway.events.Publisher`; one a log, whose calls go one after another.

    What a call does not get acknowledged in time is taken back as far as that can be, and the producer with it: so
    what is in the log of a partition is always a beginning of what was published, whoever was killed when. Published
    again, it is all there in order, some of it twice.
    """

    def __init__(self, thread: KafkaThread, address: Address, limit_bytes: int, topics: Topics) -> None:
        self._thread = thread
        self._address = address
        self._limit_bytes = limit_bytes
        self._topics = topics
        self._producer: Producer | None = None
        self._closing = Flag()
        self._waiting_bytes = 0
        # A producer takes half a second to begin.
        thread.begin(self._opened)
        thread.run_last(self._drop)

    def stop(self) -> None:
        """Give up what still waits, and take nothing more."""
        self._closing.set()

    async def publish(self, events: Sequence[Event]) -> None:
        """See :meth:`slipway.events.Publisher.publish`.

        Raises Unavailable when ``timeout_s`` passes first, Exhausted when too much waits already.
        """
        require_within(events, self._limit_bytes)
        if events:
            await self.send([outgoing(event) for event in events], [event.id for event in events])

    async def send(self, messages: Sequence[Outgoing], names: Sequence[str]) -> None:
        """Publish messages as they are; ``names`` are what errors call them."""
        sizes = [message.size_bytes for message in messages]
        size = sum(sizes)
        if self._waiting_bytes and self._waiting_bytes + size > _WAITING_BYTES:
            raise PublishQueueFull(
                f"{self._waiting_bytes} bytes wait for Kafka already; try again later", retry_after_s=1.0
            )
        self._waiting_bytes += size
        try:
            give_up_at = time.monotonic() + self._address.timeout_s
            await self._thread.run(self._send, messages, names, sizes, give_up_at)
        finally:
            self._waiting_bytes -= size

    def _send(
        self, messages: Sequence[Outgoing], names: Sequence[str], sizes: Sequence[int], give_up_at: float
    ) -> None:
        self._require_time(give_up_at)
        topics = {message.topic for message in messages}
        self._topics.ensure(topics)
        limits = {topic: self._topics.largest(topic) - _FRAMING_BYTES for topic in topics}
        for message, name, size in zip(messages, names, sizes, strict=True):
            if size > limits[message.topic]:
                raise EventTooLarge(name, size, limits[message.topic])
        refused: list[KafkaError] = []

        def report(error: KafkaError | None, _message: Message) -> None:
            if error is not None:
                refused.append(error)

        try:
            self._produce(messages, report, refused, give_up_at)
            if refused:
                raise translate(refused[0]) from KafkaException(refused[0])
        except BaseException:
            self._drop()
            # A topic may have been deleted meanwhile: the driver would wait for it for ever.
            self._topics.forget(topics)
            raise

    def _produce(
        self, messages: Sequence[Outgoing], report: object, refused: Sequence[KafkaError], give_up_at: float
    ) -> None:
        producer = self._opened()
        names = {message.topic: self._topics.on_brokers(message.topic) for message in messages}
        for topic, key, value, headers in messages:
            while not refused:
                try:
                    producer.produce(names[topic], value, key, on_delivery=report, headers=headers)  # type: ignore[arg-type]
                    break
                except BufferError:
                    self._require_time(give_up_at)
                    producer.poll(_SLICE_S)
        while not refused and producer.flush(_SLICE_S):
            self._require_time(give_up_at)

    def _require_time(self, give_up_at: float) -> None:
        if self._closing.is_set():
            raise BrokersAway("the event log is being closed; publish again", retry_after_s=0.5)
        if time.monotonic() >= give_up_at:
            raise BrokersAway(
                f"Kafka has not acknowledged within {self._address.timeout_s:g} s; see to its brokers",
                retry_after_s=0.5,
            )

    def _opened(self) -> Producer:
        if self._producer is None:
            self._producer = Producer(settings.producing(self._address, self._limit_bytes))
        return self._producer

    def _drop(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.purge()
            producer.flush(_SLICE_S)


# The record's and its batch's own fields, generously.
_FRAMING_BYTES = 512
