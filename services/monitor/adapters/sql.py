"""Windows in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from services.monitor.adapters import performance, tables
from services.monitor.adapters.joins import SqlJoins
from services.monitor.adapters.spans import key_of, key_row, paged, within
from services.monitor.domain.batch import Arm, Tally
from services.monitor.domain.coverage import Coverage
from services.monitor.domain.figures import PerformanceWindow
from services.monitor.domain.window import PredictionWindow, Span, VersionCount
from slipway.events.inbox import Inbox
from slipway.paging import Page
from slipway.sql import Database, Migrations, Transactions

MIGRATIONS = Migrations("services.monitor.adapters.migrations", "slipway-monitor migrate")
GROUP = "monitor"

_table = tables.prediction_window
_columns = _table.c


class SqlReader:
    """One snapshot of the windows."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def windows(self, span: Span, page: Page) -> Sequence[PredictionWindow]:
        """See Reader."""
        rows = (await self._connection.execute(paged(_table, page, within(_table, span, select(_table))))).all()
        return [
            PredictionWindow(
                Arm(row.endpoint, row.model, row.version, row.route), row.start_us, row.end_us, row.predictions
            )
            for row in rows
        ]

    async def counts(self, span: Span) -> Sequence[VersionCount]:
        """See Reader."""
        by = (_columns.model, _columns.version)
        query = within(_table, span, select(*by, func.sum(_columns.predictions))).group_by(*by).order_by(*by)
        rows = (await self._connection.execute(query)).all()
        return [VersionCount(model, version, int(predictions)) for model, version, predictions in rows]

    async def performance(self, span: Span, page: Page) -> Sequence[PerformanceWindow]:
        """See Reader."""
        return await performance.windows(self._connection, span, page)

    async def coverage(self, span: Span) -> Sequence[Coverage]:
        """See Reader."""
        return await performance.coverage(self._connection, span)


class SqlWriter(SqlReader):
    """The writing transaction."""

    @property
    def joins(self) -> SqlJoins:
        """See Writer."""
        return SqlJoins(self._connection)

    async def claim(self, event_ids: Sequence[str], now: datetime) -> set[str]:
        """See Writer."""
        return await Inbox.claim(self._connection, GROUP, event_ids, now=now)

    async def add(self, tally: Tally, window_us: int) -> None:
        """See Writer."""
        if not tally:
            return
        dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
        fresh = dialect.insert(_table)
        more = _columns.predictions + fresh.excluded.predictions
        upsert = fresh.on_conflict_do_update(index_elements=key_of(_table), set_={"predictions": more})
        rows = [{**key_row(arm, start, start + window_us), "predictions": n} for (arm, start), n in tally.items()]
        await self._connection.execute(upsert, rows)

    async def forget(self, before: datetime) -> int:
        """See Writer."""
        return await Inbox.forget(self._connection, before)


class SqlWindows(Transactions[SqlReader, SqlWriter]):
    """Windows in one SQL database."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, SqlReader, SqlWriter)
