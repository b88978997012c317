"""SQLAlchemy engines, set up alike: one that writes, one that only reads, one for migrations."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from slipway.sql import failure
from slipway.sql.place import SQLITE
from slipway.sqlite import CONNECTION_PRAGMAS

_POOL_TIMEOUT_S = 10.0
# psycopg serves both the async engines and the migrations.
_ASYNC_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+psycopg"}
_SYNC_DRIVERS = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg"}
_dumps = partial(json.dumps, separators=(",", ":"), allow_nan=False)


def writer(url: URL) -> AsyncEngine:
    """One connection, whose transactions hold the write lock from their start."""
    return _async_engine(url, size=1, begin="BEGIN IMMEDIATE", isolation="SERIALIZABLE", reads_only=False)


def reader(url: URL, connections: int) -> AsyncEngine:
    """Connections whose transactions see one snapshot and can't write."""
    engine = _async_engine(url, size=connections, begin="BEGIN DEFERRED", isolation="REPEATABLE READ", reads_only=True)
    if url.get_backend_name() == SQLITE:
        return engine
    return engine.execution_options(postgresql_readonly=True)


def migrator(url: URL) -> Engine:
    """A synchronous engine whose one transaction holds the write lock while the schema changes.

    Foreign keys are off on SQLite, where altering a table means copying and dropping it; the caller checks
    them before the commit.
    """
    engine = create_engine(_driven(url, _SYNC_DRIVERS), poolclass=NullPool, json_serializer=_dumps)
    if url.get_backend_name() == SQLITE:
        _listen_sqlite(engine, "BEGIN IMMEDIATE", ("PRAGMA foreign_keys=OFF",))
    failure.listen(engine)
    return engine


def _async_engine(url: URL, *, size: int, begin: str, isolation: str, reads_only: bool) -> AsyncEngine:
    sqlite = url.get_backend_name() == SQLITE
    options: dict[str, Any] = {} if sqlite else {"isolation_level": isolation, "pool_pre_ping": True}
    engine = create_async_engine(
        _driven(url, _ASYNC_DRIVERS),
        pool_size=size,
        max_overflow=0,
        pool_timeout=_POOL_TIMEOUT_S,
        json_serializer=_dumps,
        **options,
    )
    if sqlite:
        _listen_sqlite(engine.sync_engine, begin, ("PRAGMA query_only=ON",) if reads_only else ())
    failure.listen(engine.sync_engine, reads_only=reads_only)
    return engine


def _driven(url: URL, drivers: dict[str, str]) -> URL:
    return url.set(drivername=drivers[url.get_backend_name()])


def _listen_sqlite(engine: Engine, begin: str, pragmas: tuple[str, ...]) -> None:
    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: object) -> None:
        # The driver's own transactions begin at the first write, deferred: too late to wait for the lock.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (*CONNECTION_PRAGMAS, *pragmas):
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)
