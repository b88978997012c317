"""Rows that take the place of those with their key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection


def dialect(connection: AsyncConnection) -> Any:
    """What both databases can say, in the words of this one."""
    return postgresql if connection.dialect.name == "postgresql" else sqlite


async def upsert(
    connection: AsyncConnection, table: Table, rows: Sequence[Mapping[str, object]], changing: Sequence[str] = ()
) -> None:
    """Put ``rows``; of those that are there, ``changing`` alone (all but the key when empty) is changed."""
    if not rows:
        return
    fresh = dialect(connection).insert(table)
    told = changing or [column.key for column in table.c if not column.primary_key]
    statement = fresh.on_conflict_do_update(
        index_elements=[column for column in table.c if column.primary_key],
        set_={name: fresh.excluded[name] for name in told},
    )
    await connection.execute(statement, list(rows))
