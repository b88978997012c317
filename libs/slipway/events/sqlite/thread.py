"""One SQLite connection on a thread of its own, so that no statement holds up the event loop."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from slipway.failpoints import hit
from slipway.sqlite import connect, translate

P = ParamSpec("P")
T = TypeVar("T")


class SqliteThread:
    """Runs functions of a connection one after another; made by :meth:`open`."""

    def __init__(self, executor: ThreadPoolExecutor, connection: sqlite3.Connection) -> None:
        self._executor = executor
        self._connection = connection

    @classmethod
    @asynccontextmanager
    async def open(cls, path: Path) -> AsyncIterator[SqliteThread]:
        """A thread with a connection to ``path``, which :func:`slipway.sqlite.prepare` has prepared."""
        executor = ThreadPoolExecutor(1, thread_name_prefix="event-log")
        loop = asyncio.get_running_loop()
        try:
            connection = await loop.run_in_executor(executor, connect, path)
            try:
                yield cls(executor, connection)
            finally:
                # Only the thread that made it may close it. A cancellation must not leave it open.
                await asyncio.shield(loop.run_in_executor(executor, connection.close))
        finally:
            executor.shutdown(wait=False)

    async def run(
        self, action: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """``action(connection, ...)`` on the thread; the driver's errors and the disk's become ours.

        Once begun it is finished, even when the caller is cancelled meanwhile.
        """

        def call() -> T:
            try:
                return action(self._connection, *args, **kwargs)
            except (sqlite3.Error, OSError) as error:
                raise translate(error) from error

        return await asyncio.get_running_loop().run_in_executor(self._executor, call)


@contextmanager
def writing(connection: sqlite3.Connection) -> Iterator[None]:
    """A transaction that holds the write lock from its start; kept whole or not at all."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        hit("log.commit.before")
        connection.execute("COMMIT")
        hit("log.commit.after")
    except BaseException:
        # A full disk may have rolled back already.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
