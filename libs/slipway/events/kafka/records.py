"""Events as messages and messages as records: pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from confluent_kafka import Message

from slipway.errors import InvalidInput, invalid_field
from slipway.events.cloudevents import from_headers, to_headers
from slipway.events.port import Event, Record, dead_letter_topic

Headers = Sequence[tuple[str, bytes | None]]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ERROR_CHARACTERS = 1000


class Outgoing(NamedTuple):
    """A message as it is given to the driver; ``topic`` is our name of it."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers

    @property
    def size_bytes(self) -> int:
        """Key, value and headers."""
        size = len(self.key or b"") + len(self.value or b"")
        for name, text in self.headers:
            size += len(name if name.isascii() else name.encode()) + len(text or b"")
        return size


@dataclass(frozen=True, slots=True)
class Received(Record):
    """A record with the very bytes that the broker gave."""

    raw_key: bytes | None = None
    raw_value: bytes | None = None
    raw_headers: Headers = ()


def outgoing(event: Event) -> Outgoing:
    """The message that carries ``event``."""
    return Outgoing(event.topic, event.key.encode(), event.value, to_headers(event))


def received(message: Message, topic: str) -> Received:
    """The record of a message without error, sound or not; ``topic`` is our name of its topic."""
    partition, offset = message.partition() or 0, message.offset() or 0
    key, value, headers = message.key(), message.value(), _pairs(message)
    unreadable = None
    try:
        if value is None:
            raise invalid_field("value", "is missing; an event has one")
        event = from_headers(topic, key, value, headers)
    except InvalidInput as error:
        unreadable = error.message
        event = _salvaged(topic, f"{topic}/{partition}/{offset}", message, headers)
    return Received(event, partition, offset, unreadable, key, value, headers)


def letter(record: Record, group: str, error: str) -> Outgoing:
    """The dead letter of a record: its bytes, its headers, and why it is there."""
    event = record.event
    raw = record if isinstance(record, Received) else None
    came = outgoing(event) if raw is None else Outgoing(event.topic, raw.raw_key, raw.raw_value, raw.raw_headers)
    why = {
        "dlq-topic": event.topic,
        "dlq-partition": str(record.partition),
        "dlq-offset": str(record.offset),
        "dlq-group": group,
        "dlq-error": error[:_ERROR_CHARACTERS],
    }
    kept = [(name, text) for name, text in came.headers if name not in why]
    return Outgoing(
        dead_letter_topic(event.topic, group),
        came.key,
        came.value,
        [*kept, *((name, text.encode()) for name, text in why.items())],
    )


def _pairs(message: Message) -> Headers:
    found = message.headers() or []
    pairs = found.items() if isinstance(found, Mapping) else found
    return [(name, text.encode() if isinstance(text, str) else text) for name, text in pairs]


def _salvaged(topic: str, identity: str, message: Message, headers: Headers) -> Event:
    """What can be said of a message that carries no event of ours."""
    texts = {name: (text or b"").decode(errors="backslashreplace") for name, text in headers}
    _, stamp_ms = message.timestamp()
    return Event(
        id=texts.get("ce_id") or identity,
        topic=topic,
        key=(message.key() or b"").decode(errors="backslashreplace"),
        type=texts.get("ce_type") or "unreadable",
        source=texts.get("ce_source") or "unknown",
        time=_EPOCH + timedelta(milliseconds=max(0, stamp_ms)),
        value=message.value() or b"",
        headers={name: text for name, text in texts.items() if not name.startswith("ce_")},
    )
