"""The port: events, where they stand in a log, and who publishes and consumes them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Protocol

from slipway.errors import invalid_field
from slipway.events.errors import EventTooLarge

DEFAULT_LIMIT_BYTES = 1024 * 1024
"""The largest event that a log takes by default: key, value and headers together."""

_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")


class Span(NamedTuple):
    """Bytes of a file that stay as they are for as long as anybody has the file, whatever is added behind them."""

    file: Path
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Event:
    """One fact: CloudEvents attributes and a value, which is protobuf on every topic of ours.

    ``id`` is unique over all the topics that one group reads: publishing it again has no second effect. Events
    of one ``key`` keep their order. ``time`` is when it happened, aware. ``headers`` carry ``traceparent``
    and the like, as text. ``span`` says where the value lies in a file already, if it does: a log on the same disk may
    keep that in place of another copy; what is read has none. Raises InvalidInput naming the attribute that can't be
    used.
    """

    id: str
    topic: str
    key: str
    type: str
    source: str
    time: datetime
    value: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    span: Span | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("id", "type", "source"):
            if not getattr(self, name):
                raise invalid_field(f"event.{name}", "is empty; every event needs it")
        if not _TOPIC.fullmatch(self.topic):
            raise invalid_field("event.topic", "must be 1 to 249 of letters, digits, dot, dash and underscore")
        if self.time.utcoffset() is None:
            raise invalid_field("event.time", "has no time zone; give an aware datetime")

    @property
    def size_bytes(self) -> int:
        """What counts against the log's limit: key, value and headers."""
        headers = sum(len(name) + len(text.encode()) for name, text in self.headers.items())
        return len(self.key.encode()) + len(self.value) + headers


@dataclass(frozen=True, slots=True)
class Record:
    """An event at its place. Offsets rise within a partition; the events of a key share a partition.

    ``unreadable`` is why a broker's message carries no event of ours; ``event`` is then what can be made out of it.
    """

    event: Event
    partition: int
    offset: int
    unreadable: str | None = None


@dataclass(frozen=True, slots=True)
class TopicInfo:
    """What a partition of a topic holds: ``first_offset`` is the oldest kept, ``next_offset`` the one to come."""

    name: str
    partition: int
    first_offset: int
    next_offset: int
    count: int


class Publisher(Protocol):
    """Where events go in."""

    async def publish(self, events: Sequence[Event]) -> None:
        """Make all of them durable, in order; on an error publish them again, which is harmless.

        Raises EventTooLarge before anything is written; Unavailable or Exhausted when the log can't take
        them now.
        """
        ...


class Consumer(Protocol):
    """One member of a group. Its calls are made one after another.

    Fenced by ``poll`` is for good. Fenced by ``commit`` or ``dead_letter`` is about those records: the next poll says
    whether the member goes on, and then with what is its own, from what was committed.
    """

    async def poll(self, limit: int, timeout_s: float) -> Sequence[Record]:
        """Up to ``limit`` records that follow the last ones polled, in order per key.

        Waits up to ``timeout_s`` for the first; empty when none came. May give fewer than there are, to
        stay within a bound in bytes. Raises Fenced, Unavailable.
        """
        ...

    async def commit(self, records: Sequence[Record]) -> None:
        """Say that the effect of these, and of all before them, is kept. Raises Fenced, Unavailable."""
        ...

    async def dead_letter(self, record: Record, error: str) -> None:
        """Copy the record to :func:`dead_letter_topic` with its bytes and headers, and why it is there.

        The headers ``dlq-topic``, ``dlq-partition``, ``dlq-offset``, ``dlq-group`` and ``dlq-error`` are
        added. Done again it is the same letter, of which readers may see two. Raises Fenced, Unavailable.
        """
        ...


class EventLog(Protocol):
    """A log of topics."""

    def publisher(self) -> Publisher:
        """A publisher, for as long as the log is open."""
        ...

    def consumer(self, topics: Sequence[str], group: str, member: str = "") -> AbstractAsyncContextManager[Consumer]:
        """Join ``group``; a group that is new starts at the oldest record that each topic holds.

        ``member`` is the name of a process that shares the group's topics with others, where the log can divide
        them; who joins under a name takes over from whoever had it. Empty: as the log's own address says.
        """
        ...

    async def read(self, topic: str, offset: int = 0, limit: int = 100, partition: int = 0) -> Sequence[Record]:
        """Up to ``limit`` records from ``offset`` on, outside of any group; for operators and tests."""
        ...

    async def topics(self, names: Collection[str] = ()) -> Sequence[TopicInfo]:
        """Every partition of every topic, or of ``names`` alone, by name and number."""
        ...

    async def committed(self, topics: Sequence[str], group: str) -> Mapping[tuple[str, int], int]:
        """Where ``group`` goes on, by topic and partition; those without a commit are left out."""
        ...


def dead_letter_topic(topic: str, group: str) -> str:
    """Where a group puts the records of ``topic`` that it can't handle."""
    return f"{topic}.{group}.dlq"


def require_within(events: Sequence[Event], limit_bytes: int) -> None:
    """Raise EventTooLarge for the first event over the limit."""
    for event in events:
        if (size := event.size_bytes) > limit_bytes:
            raise EventTooLarge(event.id, size, limit_bytes)
