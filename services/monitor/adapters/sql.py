"""Windows in SQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from services.monitor.adapters import tables
from services.monitor.domain.batch import Arm, Tally
from services.monitor.domain.window import PredictionWindow, Span, VersionCount
from slipway.events.inbox import Inbox
from slipway.paging import Page
from slipway.sql import Database, Migrations

MIGRATIONS = Migrations("services.monitor.adapters.migrations", "slipway-monitor migrate")
GROUP = "monitor"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_columns = tables.prediction_window.c
_KEY = (
    _columns.start_us,
    _columns.endpoint,
    _columns.model,
    _columns.version,
    _columns.route,
    _columns.end_us,
)


class SqlReader:
    """One snapshot of the windows."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def windows(self, span: Span, page: Page) -> Sequence[PredictionWindow]:
        """See Reader."""
        query = _within(span, select(tables.prediction_window)).order_by(*_KEY).limit(page.fetch)
        if page.after:
            query = query.where(tuple_(*_KEY) > tuple_(*page.after))
        rows = (await self._connection.execute(query)).all()
        return [
            PredictionWindow(
                Arm(row.endpoint, row.model, row.version, row.route), row.start_us, row.end_us, row.predictions
            )
            for row in rows
        ]

    async def counts(self, span: Span) -> Sequence[VersionCount]:
        """See Reader."""
        by = (_columns.model, _columns.version)
        query = _within(span, select(*by, func.sum(_columns.predictions))).group_by(*by).order_by(*by)
        rows = (await self._connection.execute(query)).all()
        return [VersionCount(model, version, int(predictions)) for model, version, predictions in rows]


class SqlWriter(SqlReader):
    """The writing transaction."""

    async def claim(self, event_ids: Sequence[str], now: datetime) -> set[str]:
        """See Writer."""
        return await Inbox.claim(self._connection, GROUP, event_ids, now=now)

    async def add(self, tally: Tally, window_us: int) -> None:
        """See Writer."""
        if not tally:
            return
        dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
        fresh = dialect.insert(tables.prediction_window)
        more = _columns.predictions + fresh.excluded.predictions
        upsert = fresh.on_conflict_do_update(index_elements=list(_KEY), set_={"predictions": more})
        await self._connection.execute(upsert, [_row(arm, start, window_us, n) for (arm, start), n in tally.items()])

    async def forget(self, before: datetime) -> int:
        """See Writer."""
        return await Inbox.forget(self._connection, before)


class SqlWindows:
    """Windows in one SQL database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def read(self) -> AsyncIterator[SqlReader]:
        """See Windows."""
        async with self._database.read() as connection:
            yield SqlReader(connection)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[SqlWriter]:
        """See Windows."""
        async with self._database.write() as connection:
            yield SqlWriter(connection)


def _within(span: Span, query: Select[Any]) -> Select[Any]:
    if span.endpoint:
        query = query.where(_columns.endpoint == span.endpoint)
    if span.start_time:
        query = query.where(_columns.start_us >= _microseconds(span.start_time))
    if span.end_time:
        query = query.where(_columns.start_us < _microseconds(span.end_time))
    return query


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _row(arm: Arm, start_us: int, window_us: int, predictions: int) -> dict[str, object]:
    return {
        "start_us": start_us,
        "end_us": start_us + window_us,
        "endpoint": arm.endpoint,
        "model": arm.model,
        "version": arm.version,
        "route": arm.route,
        "predictions": predictions,
    }
