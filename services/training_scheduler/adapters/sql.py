"""Runs in SQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, case, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.training_scheduler.adapters import tables
from services.training_scheduler.adapters.rows import (
    attempt_rows,
    run_columns,
    run_of,
    step_rows,
    trigger_columns,
    trigger_of,
)
from services.training_scheduler.codec import encode_change
from services.training_scheduler.domain.run import Run, RunState
from services.training_scheduler.domain.trigger import Trigger
from slipway.events import Event
from slipway.events.inbox import Inbox
from slipway.events.outbox import Outbox
from slipway.paging import Page
from slipway.sql import Database, Migrations, Transactions

MIGRATIONS = Migrations("services.training_scheduler.adapters.migrations", "slipway-training migrate")
SOURCE = "slipway/training_scheduler"
_GROUP = "training_scheduler"


class SqlReader:
    """One snapshot of the runs."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def _all(self, query: Select[Any]) -> Sequence[Any]:
        rows: Sequence[Any] = (await self._connection.execute(query)).all()
        return rows

    async def _one(self, query: Select[Any]) -> tuple[Run, Any] | None:
        rows = await self._all(query)
        if not rows:
            return None
        steps, attempts = tables.step, tables.attempt
        return (
            run_of(
                rows[0],
                await self._all(select(steps).where(steps.c.run_id == rows[0].id).order_by(steps.c.position)),
                await self._all(select(attempts).where(attempts.c.run_id == rows[0].id).order_by(attempts.c.number)),
            ),
            rows[0],
        )

    async def run(self, run_id: str) -> Run | None:
        """See Reader."""
        found = await self._one(select(tables.run).where(tables.run.c.id == run_id))
        return found[0] if found else None

    async def runs(self, workflow: str, page: Page) -> Sequence[Run]:
        """See Reader."""
        table = tables.run
        query = select(table).order_by(table.c.position.desc()).limit(page.fetch)
        if workflow:
            query = query.where(table.c.workflow == workflow)
        if page.after:
            query = query.where(table.c.position < page.after[0])
        return [run_of(row) for row in await self._all(query)]

    async def submission(self, request_id: str) -> tuple[Run, str] | None:
        """See Reader."""
        found = await self._one(select(tables.run).where(tables.run.c.request_id == request_id))
        return (found[0], found[1].fingerprint) if found else None

    async def open_runs(self, limit: int) -> Sequence[str]:
        """See Reader."""
        table = tables.run
        running_first = case((table.c.state == RunState.RUNNING.value, 0), else_=1)
        query = (
            select(table.c.id)
            .where(table.c.state.in_([RunState.RUNNING.value, RunState.QUEUED.value]))
            .order_by(running_first, table.c.position)
            .limit(limit)
        )
        return [row.id for row in await self._all(query)]

    async def trigger(self, name: str) -> Trigger | None:
        """See Reader."""
        rows = await self._all(select(tables.trigger).where(tables.trigger.c.name == name))
        return trigger_of(rows[0]) if rows else None

    async def triggers(self, endpoint: str = "") -> Sequence[Trigger]:
        """See Reader."""
        query = select(tables.trigger).order_by(tables.trigger.c.name)
        if endpoint:
            query = query.where(tables.trigger.c.endpoint == endpoint)
        return [trigger_of(row) for row in await self._all(query)]


class SqlWriter(SqlReader):
    """The writing transaction."""

    async def add(self, run: Run, request_id: str, fingerprint: str) -> None:
        """See Writer."""
        await self._connection.execute(
            insert(tables.run).values(request_id=request_id, fingerprint=fingerprint, revision=1, **run_columns(run))
        )
        await self._put_steps(run)

    async def save(self, run: Run) -> None:
        """See Writer."""
        table = tables.run
        await self._connection.execute(
            update(table).where(table.c.id == run.id).values(revision=table.c.revision + 1, **run_columns(run))
        )
        await self._connection.execute(delete(tables.attempt).where(tables.attempt.c.run_id == run.id))
        await self._connection.execute(delete(tables.step).where(tables.step.c.run_id == run.id))
        await self._put_steps(run)

    async def _put_steps(self, run: Run) -> None:
        for table, rows in ((tables.step, step_rows(run)), (tables.attempt, attempt_rows(run))):
            if rows:
                await self._connection.execute(insert(table), rows)

    async def announce(self, run: Run, now: datetime) -> None:
        """See Writer."""
        topic, key, kind, value = encode_change(run)
        # A run reaches each state once: the id makes a second event of it a repeated one.
        await Outbox.add(
            self._connection, [Event(f"{run.id}.{run.state.lower()}", topic, key, kind, SOURCE, now, value)]
        )

    async def put_trigger(self, trigger: Trigger) -> None:
        """See Writer."""
        await self.delete_trigger(trigger.name)
        await self._connection.execute(insert(tables.trigger).values(trigger_columns(trigger)))

    async def delete_trigger(self, name: str) -> bool:
        """See Writer."""
        done = await self._connection.execute(delete(tables.trigger).where(tables.trigger.c.name == name))
        return done.rowcount > 0

    async def claim(self, event_id: str, now: datetime) -> bool:
        """See Writer."""
        return bool(await Inbox.claim(self._connection, _GROUP, [event_id], now=now))

    async def forget(self, before: datetime) -> int:
        """See Writer."""
        return await Inbox.forget(self._connection, before)


class SqlRuns(Transactions[SqlReader, SqlWriter]):
    """The runs in one SQL database; ``committed`` is called after each transaction."""

    def __init__(self, database: Database, committed: Callable[[], None]) -> None:
        super().__init__(database, SqlReader, SqlWriter, committed)
