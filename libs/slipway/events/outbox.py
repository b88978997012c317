"""The outbox: events wait in the tables of the service until a relay has published them.

:meth:`Outbox.add` writes them in the transaction that changes the state, so that either both are kept or
neither. :class:`Relay` publishes them in the order they were written, at least once: killed between the
publish and the removal it publishes them again, under the same ids.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    Table,
    Text,
    UniqueConstraint,
    delete,
    insert,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from slipway.clock import Clock
from slipway.errors import SlipwayError
from slipway.events.backoff import Backoff
from slipway.events.port import DEFAULT_LIMIT_BYTES, Event, Publisher, require_within
from slipway.failpoints import hit_async
from slipway.sql import Database, Json, TableMaker, UtcTime

_log = logging.getLogger(__name__)


def _columns() -> list[Column[object] | UniqueConstraint]:
    return [
        # SQLite numbers a row by itself only in a column that is called INTEGER.
        Column("position", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
        Column("event_id", Text, nullable=False),
        Column("topic", Text, nullable=False),
        Column("key", Text, nullable=False),
        Column("type", Text, nullable=False),
        Column("source", Text, nullable=False),
        Column("time", UtcTime, nullable=False),
        Column("value", LargeBinary, nullable=False),
        Column("headers", Json, nullable=False),
        UniqueConstraint("topic", "event_id"),
    ]


def create(op: TableMaker) -> None:
    """Create the table; for a revision's ``upgrade()``, with Alembic's ``op``."""
    op.create_table("outbox", *_columns(), sqlite_autoincrement=True)


class Outbox:
    """The table, and writing to it."""

    @staticmethod
    def table(metadata: MetaData) -> Table:
        """The table in a service's metadata."""
        return Table("outbox", metadata, *_columns(), sqlite_autoincrement=True)

    @staticmethod
    async def add(
        connection: AsyncConnection, events: Sequence[Event], *, limit_bytes: int = DEFAULT_LIMIT_BYTES
    ) -> None:
        """Keep events in the writing transaction of ``connection``; then :meth:`Relay.wake`.

        Raises EventTooLarge here, where the caller can still answer for it, and Conflict for an id that
        waits already.
        """
        require_within(events, limit_bytes)
        if events:
            await connection.execute(insert(_OUTBOX), [_encode(event) for event in events])


class Relay:
    """Carries one database's outbox to the log."""

    def __init__(
        self,
        database: Database,
        publisher: Publisher,
        clock: Clock,
        *,
        limit: int = 500,
        idle_s: float = 1.0,
        backoff: Backoff | None = None,
    ) -> None:
        self._database = database
        self._publisher = publisher
        self._clock = clock
        self._limit = limit
        self._idle_s = idle_s
        self._backoff = backoff or Backoff()
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Say that a transaction with events has committed; without it they wait ``idle_s`` at most."""
        self._woken.set()

    async def run(self) -> None:
        """Publish what comes until cancelled. An event that the log refuses holds up those behind it.

        Nothing is dropped: errors are logged and tried again.
        """
        failures = 0
        while True:
            self._woken.clear()
            try:
                if await self.publish_some():
                    failures = 0
                    continue
            except SlipwayError as error:
                failures += 1
                _log.warning("the outbox waits: %s", error.message, exc_info=error)
                await self._clock.sleep(self._backoff.delay_s(failures, error.retry_after_s))
                continue
            await self._wait()

    async def publish_some(self) -> int:
        """Publish the oldest events that wait, ``limit`` at most, and remove them; how many they were."""
        query = select(_OUTBOX).order_by(_OUTBOX.c.position).limit(self._limit)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        if not rows:
            return 0
        await hit_async("outbox.publish.before")
        await self._publisher.publish([_decode(row) for row in rows])
        await hit_async("outbox.publish.after")
        async with self._database.write() as connection:
            done = [row.position for row in rows]
            await connection.execute(delete(_OUTBOX).where(_OUTBOX.c.position.in_(done)))
            await hit_async("outbox.remove.before")
        await hit_async("outbox.remove.after")
        return len(rows)

    async def _wait(self) -> None:
        woken = asyncio.create_task(self._woken.wait())
        idle = asyncio.ensure_future(self._clock.sleep(self._idle_s))
        try:
            await asyncio.wait({woken, idle}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (woken, idle):
                task.cancel()
            # Not awaited one by one: a cancellation of our own, which may come just now, would be taken for theirs.
            await asyncio.wait({woken, idle})


_OUTBOX = Outbox.table(MetaData())


def _encode(event: Event) -> dict[str, object]:
    return {
        "event_id": event.id,
        "topic": event.topic,
        "key": event.key,
        "type": event.type,
        "source": event.source,
        "time": event.time,
        "value": event.value,
        "headers": dict(event.headers),
    }


def _decode(row: Row[tuple[object, ...]]) -> Event:
    return Event(row.event_id, row.topic, row.key, row.type, row.source, row.time, row.value, row.headers)
