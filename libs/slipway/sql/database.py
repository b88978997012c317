"""A service's one database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import Connection
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from slipway import sqlite
from slipway.failpoints import hit_async
from slipway.sql import engines, migrations, place, postgresql
from slipway.sql.transaction import begun
from slipway.sqlite import DatabaseBusy

_READERS = 4


class Database:
    """Snapshots to read from and one writer at a time; made by :meth:`open`."""

    def __init__(self, writer: AsyncEngine, reader: AsyncEngine) -> None:
        self._writer = writer
        self._reader = reader
        self._turn = asyncio.Lock()
        self._holder: asyncio.Task[object] | None = None

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, migrations: migrations.Migrations | None = None) -> AsyncIterator[Database]:
        """Open ``sqlite:////abs/file.db`` (made when missing) or ``postgresql://user@host/name``.

        With ``migrations`` the schema must be at their head: SchemaMismatch otherwise, naming both revisions
        and the command to run; UnfitDatabase as :func:`slipway.sql.migrate`. Raises InvalidInput for a bad URL,
        DatabaseUnreachable when it can't be had.
        """
        parsed = place.parse(url)
        if file := place.file_of(parsed):
            await asyncio.to_thread(sqlite.prepare, file)
        writer, reader = engines.writer(parsed), engines.reader(parsed, _READERS)
        try:
            database = cls(writer, reader)
            if migrations is not None:
                await database._require(migrations)
            yield database
        finally:
            await reader.dispose()
            await writer.dispose()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """One consistent snapshot, fixed by the first statement; writing through it is an error."""
        try:
            async with begun(self._reader) as connection:
                yield connection
        except PoolTimeout as error:
            raise DatabaseBusy("every connection of the database is in use; try again", retry_after_s=0.5) from error

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """The one writing transaction: committed when the block ends, rolled back when it raises.

        It waits for its turn in this process, then up to five seconds for other processes (DatabaseBusy), on
        both databases alike. Keep slow work out of the block: everyone else's writes wait for it, and PostgreSQL
        ends the session of a block that asks nothing for thirty seconds. DatabaseUnreachable at the block's end leaves
        open whether it was kept: repeat what an idempotency key or an inbox protects.
        """
        task = asyncio.current_task()
        if task is not None and self._holder is task:
            raise RuntimeError("write() within write() would wait for itself; pass the connection on")
        async with self._turn:
            self._holder = task
            try:
                async with begun(self._writer) as connection:
                    yield connection
                    await hit_async("sql.commit.before")
                await hit_async("sql.commit.after")
            finally:
                self._holder = None

    async def _require(self, wanted: migrations.Migrations) -> None:
        head = await asyncio.to_thread(migrations.head_of, wanted)
        async with self.read() as connection:
            found = await connection.run_sync(_revisions)
        migrations.require_head(wanted, found, head)


def _revisions(connection: Connection) -> tuple[str, ...]:
    if connection.dialect.name == place.POSTGRESQL:
        postgresql.require_fit(connection)
    return migrations.revisions_of(connection)
