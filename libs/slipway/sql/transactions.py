"""A service's own reader and writer over its database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from slipway.sql.database import Database

R = TypeVar("R")
W = TypeVar("W")


def _nothing() -> None:
    """Tell nobody."""


class Transactions(Generic[R, W]):
    """What every store in SQL is: ``reader`` on a snapshot, ``writer`` in the one writing transaction.

    ``committed`` is called after each transaction that committed, such as an outbox's ``wake``.
    """

    def __init__(
        self,
        database: Database,
        reader: Callable[[AsyncConnection], R],
        writer: Callable[[AsyncConnection], W],
        committed: Callable[[], None] = _nothing,
    ) -> None:
        self._database = database
        self._reader = reader
        self._writer = writer
        self._committed = committed

    @asynccontextmanager
    async def read(self) -> AsyncIterator[R]:
        """A snapshot; see :meth:`Database.read`."""
        async with self._database.read() as connection:
            yield self._reader(connection)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[W]:
        """A transaction, committed on leaving, rolled back by an exception; see :meth:`Database.write`."""
        async with self._database.write() as connection:
            yield self._writer(connection)
        self._committed()
