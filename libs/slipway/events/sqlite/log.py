"""The embedded log's front: open it, publish, join, look, trim."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from slipway.errors import invalid_field
from slipway.events.port import DEFAULT_LIMIT_BYTES, Event, Record, TopicInfo, require_within
from slipway.events.sqlite import records
from slipway.events.sqlite.consumer import SqliteConsumer, join
from slipway.events.sqlite.files import ValueFiles, looked_up
from slipway.events.sqlite.layout import lay_out
from slipway.events.sqlite.thread import SqliteThread, writing

_TRIM_ROWS = 2000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class SqliteEventLog:
    """See :class:`slipway.events.EventLog`; made by :meth:`open`."""

    def __init__(self, path: Path, writer: SqliteThread, reader: SqliteThread, limit_bytes: int) -> None:
        self._path = path
        self._writer = writer
        self._reader = reader
        self._limit_bytes = limit_bytes
        self._files = ValueFiles(path)

    @classmethod
    @asynccontextmanager
    async def open(cls, path: Path, *, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> AsyncIterator[SqliteEventLog]:
        """Open the log's file, made when missing.

        Raises UnusableLog for a file of something else or of a newer version, :mod:`slipway.sqlite` errors
        when it can't be had.
        """
        await asyncio.to_thread(lay_out, path)
        async with SqliteThread.open(path) as writer, SqliteThread.open(path) as reader:
            yield cls(path, writer, reader, limit_bytes)

    def publisher(self) -> SqlitePublisher:
        """See :meth:`slipway.events.EventLog.publisher`."""
        return SqlitePublisher(self._writer, self._files, self._limit_bytes)

    @asynccontextmanager
    async def consumer(self, topics: Sequence[str], group: str, member: str = "") -> AsyncIterator[SqliteConsumer]:
        """See :meth:`slipway.events.EventLog.consumer`; a group has one member, whatever it is called."""
        if not topics:
            raise invalid_field("topics", "is empty; name at least one")
        async with SqliteThread.open(self._path) as thread:
            claims = await thread.run(join, topics, group)
            yield SqliteConsumer(self._path, thread, self._files, group, claims)

    async def read(self, topic: str, offset: int = 0, limit: int = 100, partition: int = 0) -> Sequence[Record]:
        """See :meth:`slipway.events.EventLog.read`; partitions other than 0 hold nothing."""

        def look(connection: sqlite3.Connection) -> list[Record]:
            number = records.topic_id(connection, topic)
            if number is None or partition != records.PARTITION:
                return []
            return list(records.select(connection, self._files, number, topic, offset=offset, limit=limit))

        return await looked_up(lambda: self._reader.run(look))

    async def topics(self, names: Collection[str] = ()) -> Sequence[TopicInfo]:
        """See :meth:`slipway.events.EventLog.topics`."""
        return await self._reader.run(records.topics, names)

    async def committed(self, topics: Sequence[str], group: str) -> Mapping[tuple[str, int], int]:
        """See :meth:`slipway.events.EventLog.committed`."""
        found = await self._reader.run(records.committed, group)
        return {(name, records.PARTITION): following for name, following in found.items() if name in topics}

    async def trim(self, topic: str, *, before_offset: int | None = None, older_than: datetime | None = None) -> int:
        """Forget the oldest records of a topic; how many went.

        Those before ``before_offset``, those published before ``older_than``, or both. Groups that were
        still to read them lose them, as on a broker, and their ids may be published again.
        """
        if before_offset is None and older_than is None:
            raise invalid_field("before_offset", "is missing, and older_than too; give one of them")
        if older_than is not None and older_than.utcoffset() is None:
            raise invalid_field("older_than", "has no time zone; give an aware datetime")
        ends = await self._reader.run(_end_of_trim, topic, before_offset, older_than)
        if ends is None:
            return 0
        trimmed = 0
        while gone := await self._writer.run(_trim_some, *ends):
            trimmed += gone
        await self._writer.run(_let_files_go, self._files, ends[0])
        return trimmed


class SqlitePublisher:
    """See :class:`slipway.events.Publisher`."""

    def __init__(self, thread: SqliteThread, files: ValueFiles, limit_bytes: int) -> None:
        self._thread = thread
        self._files = files
        self._limit_bytes = limit_bytes

    async def publish(self, events: Sequence[Event]) -> None:
        """See :meth:`slipway.events.Publisher.publish`; all of them in one transaction."""
        require_within(events, self._limit_bytes)

        def put(connection: sqlite3.Connection) -> None:
            synced = self._files.sync(events)
            with writing(connection):
                records.append(connection, events, self._files, synced)

        if events:
            await self._thread.run(put)


def _end_of_trim(
    connection: sqlite3.Connection, topic: str, before_offset: int | None, older_than: datetime | None
) -> tuple[int, int] | None:
    row = connection.execute("SELECT id, next_offset FROM topic WHERE name = ?", (topic,)).fetchone()
    if row is None:
        return None
    number, end = row
    bounds = [] if before_offset is None else [before_offset]
    if older_than is not None:
        cutoff = (older_than - _EPOCH) // timedelta(microseconds=1)
        # Up to the first that is young enough: a wall clock that jumped makes no holes.
        (young,) = connection.execute(
            'SELECT min("offset") FROM record WHERE topic = ? AND stored_us >= ?', (number, cutoff)
        ).fetchone()
        bounds.append(end if young is None else young)
    return number, max(bounds)


def _trim_some(connection: sqlite3.Connection, topic: int, end: int) -> int:
    # A piece at a time, so that publishers get their turn in between.
    with writing(connection):
        gone = connection.execute(
            "DELETE FROM record WHERE rowid IN"
            ' (SELECT rowid FROM record WHERE topic = ? AND "offset" < ? ORDER BY "offset" LIMIT ?)',
            (topic, end, _TRIM_ROWS),
        ).rowcount
    # Each step gives back one page, and of a statement without columns the driver takes only the first elsewhere.
    connection.executescript("PRAGMA incremental_vacuum")
    return gone


def _let_files_go(connection: sqlite3.Connection, files: ValueFiles, topic: int) -> None:
    # By a transaction after those that removed the records: what is undone by a crash may need its file.
    with writing(connection):
        records.unlink(connection, topic, files)
