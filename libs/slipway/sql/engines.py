"""SQLAlchemy engines, set up alike: one that writes, one that only reads, one for migrations."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from slipway.sql import failure, postgresql
from slipway.sql.place import POSTGRESQL, SQLITE
from slipway.sqlite import CONNECTION_PRAGMAS

_POOL_TIMEOUT_S = 10.0
# psycopg serves both the async engines and the migrations.
_ASYNC_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+psycopg"}
_SYNC_DRIVERS = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg"}
_dumps = partial(json.dumps, separators=(",", ":"), allow_nan=False)


def writer(url: URL) -> AsyncEngine:
    """One connection, whose transactions hold the write lock from their start."""
    if url.get_backend_name() == SQLITE:
        return _sqlite(url, size=1, begin="BEGIN IMMEDIATE", reads_only=False)
    engine = _postgresql(url, size=1, settings=postgresql.WRITES, reads_only=False)
    postgresql.make_writer(engine.sync_engine)
    return engine


def reader(url: URL, connections: int) -> AsyncEngine:
    """Connections whose transactions see one snapshot and can't write."""
    if url.get_backend_name() == SQLITE:
        return _sqlite(url, size=connections, begin="BEGIN DEFERRED", reads_only=True)
    engine = _postgresql(url, size=connections, settings=postgresql.READS, reads_only=True)
    postgresql.make_reader(engine.sync_engine)
    return engine


def migrator(url: URL) -> Engine:
    """A synchronous engine whose one transaction holds the write lock while the schema changes.

    Foreign keys are off on SQLite, where altering a table means copying and dropping it; the caller checks
    them before the commit.
    """
    server = url.get_backend_name() == POSTGRESQL
    driven = _driven(postgresql.with_settings(url, postgresql.MIGRATES) if server else url, _SYNC_DRIVERS)
    isolation = {"isolation_level": postgresql.BEGUN_BY_US} if server else {}
    engine = create_engine(driven, poolclass=NullPool, json_serializer=_dumps, **isolation)
    if server:
        postgresql.make_writer(engine)
    else:
        _listen_sqlite(engine, "BEGIN IMMEDIATE", ("PRAGMA foreign_keys=OFF",))
    failure.listen(engine)
    return engine


def _sqlite(url: URL, *, size: int, begin: str, reads_only: bool) -> AsyncEngine:
    engine = _async_engine(url, size)
    _listen_sqlite(engine.sync_engine, begin, ("PRAGMA query_only=ON",) if reads_only else ())
    failure.listen(engine.sync_engine, reads_only=reads_only)
    return engine


def _postgresql(url: URL, *, size: int, settings: dict[str, str], reads_only: bool) -> AsyncEngine:
    driven = postgresql.with_settings(url, settings)
    engine = _async_engine(driven, size, isolation_level=postgresql.BEGUN_BY_US, use_native_hstore=False)
    failure.listen(engine.sync_engine, reads_only=reads_only)
    return engine


def _async_engine(url: URL, size: int, **options: Any) -> AsyncEngine:
    return create_async_engine(
        _driven(url, _ASYNC_DRIVERS),
        pool_size=size,
        max_overflow=0,
        pool_timeout=_POOL_TIMEOUT_S,
        json_serializer=_dumps,
        **options,
    )


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
