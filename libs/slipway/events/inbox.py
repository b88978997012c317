"""The inbox: the ids of the events whose effect a group has kept, beside that effect.

:meth:`Inbox.claim` and the effect share one transaction. However often a log repeats an event, and wherever
the process was killed, its effect is there once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import Column, MetaData, Table, Text, delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from slipway.failpoints import hit_async
from slipway.sql import TableMaker, UtcTime


def _columns() -> list[Column[Any]]:
    return [
        Column("group_name", Text, primary_key=True),
        Column("event_id", Text, primary_key=True),
        Column("seen_at", UtcTime, nullable=False, index=True),
    ]


def create(op: TableMaker) -> None:
    """Create the table; for a revision's ``upgrade()``, with Alembic's ``op``."""
    op.create_table("inbox", *_columns())


class Inbox:
    """The table, and claiming in it."""

    @staticmethod
    def table(metadata: MetaData) -> Table:
        """The table in a service's metadata."""
        return Table("inbox", metadata, *_columns())

    @staticmethod
    async def claim(
        connection: AsyncConnection, group: str, event_ids: Sequence[str], *, now: datetime | None = None
    ) -> set[str]:
        """The ids that ``group`` has not claimed before; from here on it has, if the transaction commits.

        Call it in the writing transaction of the effect and do the effect of the returned ids alone.
        """
        stamp = now or datetime.now(UTC)
        rows = [{"group_name": group, "event_id": event_id, "seen_at": stamp} for event_id in dict.fromkeys(event_ids)]
        if not rows:
            return set()
        await hit_async("inbox.claim.before")
        fresh = set((await connection.execute(_claiming(connection.dialect.name), rows)).scalars())
        await hit_async("inbox.claim.after")
        return fresh

    @staticmethod
    async def forget(connection: AsyncConnection, before: datetime) -> int:
        """Drop the ids claimed before then; how many. Keep them for longer than the log may repeat them."""
        return (await connection.execute(delete(_INBOX).where(_INBOX.c.seen_at < before))).rowcount


_INBOX = Inbox.table(MetaData())


# It costs more to build than to run.
@cache
def _claiming(dialect: str) -> Any:
    fresh = (postgresql if dialect == "postgresql" else sqlite).insert(_INBOX)
    return fresh.on_conflict_do_nothing().returning(_INBOX.c.event_id)
