"""Windows in SQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.monitor.adapters import features, judgements, performance, registered, tables, trials
from services.monitor.adapters.announcing import announced
from services.monitor.adapters.joins import SqlJoins
from services.monitor.adapters.judgements import SqlJudgements
from services.monitor.adapters.registered import SqlRegistered
from services.monitor.adapters.spans import key_of, key_row, paged, within
from services.monitor.adapters.trials import SqlTrials
from services.monitor.adapters.upsert import dialect
from services.monitor.adapters.waiting import SqlWaiting
from services.monitor.domain.baseline import Baseline
from services.monitor.domain.batch import Arm, Tally
from services.monitor.domain.comparison import Scored
from services.monitor.domain.coverage import Coverage
from services.monitor.domain.endpoint import Endpoint
from services.monitor.domain.feature import FeatureCounts, VersionWindow
from services.monitor.domain.figures import PerformanceWindow
from services.monitor.domain.incident import Incident
from services.monitor.domain.progress import Progress
from services.monitor.domain.verdict import Verdict
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

    async def baseline(self, model: str, version: int) -> Baseline | None:
        """See Reader."""
        return await registered.baseline(self._connection, model, version)

    async def endpoint(self, name: str) -> Endpoint | None:
        """See Reader."""
        return await registered.endpoint(self._connection, name)

    async def progress(self, endpoint: str) -> Progress:
        """See Reader."""
        return await features.progress(self._connection, endpoint)

    async def features(
        self, span: Span, after: VersionWindow | None, limit: int
    ) -> Sequence[tuple[VersionWindow, FeatureCounts]]:
        """See Reader."""
        return await features.windows(self._connection, span, after, limit)

    async def incidents(self, endpoint: str, page: Page, *, open_only: bool) -> Sequence[tuple[int, Incident]]:
        """See Reader."""
        return await judgements.incidents(self._connection, endpoint, page, open_only=open_only)

    async def verdicts(self, endpoint: str, page: Page) -> Sequence[tuple[int, Verdict]]:
        """See Reader."""
        return await trials.verdicts(self._connection, endpoint, page)

    async def scored_by_both(self, span: Span, model: str, version: int, other: int) -> Sequence[Scored]:
        """See Reader."""
        return await trials.scored_by_both(self._connection, span, model, version, other)


class SqlWriter(SqlReader):
    """The writing transaction."""

    @property
    def joins(self) -> SqlJoins:
        """See Writer."""
        return SqlJoins(self._connection)

    @property
    def registered(self) -> SqlRegistered:
        """See Writer."""
        return SqlRegistered(self._connection)

    @property
    def judgements(self) -> SqlJudgements:
        """See Writer."""
        return SqlJudgements(self._connection)

    @property
    def trials(self) -> SqlTrials:
        """See Writer."""
        return SqlTrials(self._connection)

    @property
    def waiting(self) -> SqlWaiting:
        """See Writer."""
        return SqlWaiting(self._connection)

    @property
    def announced(self) -> bool:
        """Whether this transaction announced anything."""
        return announced(self._connection)

    async def claim(self, event_ids: Sequence[str], now: datetime) -> set[str]:
        """See Writer."""
        return await Inbox.claim(self._connection, GROUP, event_ids, now=now)

    async def add(self, tally: Tally, window_us: int) -> None:
        """See Writer."""
        if not tally:
            return
        fresh = dialect(self._connection).insert(_table)
        more = _columns.predictions + fresh.excluded.predictions
        upsert = fresh.on_conflict_do_update(index_elements=key_of(_table), set_={"predictions": more})
        rows = [{**key_row(arm, start, start + window_us), "predictions": n} for (arm, start), n in tally.items()]
        await self._connection.execute(upsert, rows)

    async def add_features(self, counts: Mapping[VersionWindow, FeatureCounts]) -> None:
        """See Writer."""
        await features.add(self._connection, counts)

    async def keep_progress(self, endpoint: str, progress: Progress) -> None:
        """See Writer."""
        await features.keep_progress(self._connection, endpoint, progress)

    async def forget(self, before: datetime) -> int:
        """See Writer."""
        return await Inbox.forget(self._connection, before)


def _nothing() -> None:
    """Tell nobody."""


class SqlWindows(Transactions[SqlReader, SqlWriter]):
    """Windows in one SQL database; ``wake`` is called after each transaction that announced something."""

    def __init__(self, database: Database, wake: Callable[[], None] = _nothing) -> None:
        super().__init__(database, SqlReader, SqlWriter)
        self._wake = wake

    @asynccontextmanager
    async def write(self) -> AsyncIterator[SqlWriter]:
        """See Transactions."""
        told = False
        async with super().write() as writer:
            yield writer
            told = writer.announced
        if told:
            self._wake()
