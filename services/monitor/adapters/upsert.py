"""Rows that take the place of those with their key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
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
    if rows:
        await connection.execute(_upserting(dialect(connection), table, tuple(changing)), list(rows))


# A statement costs more to build than to run.
@cache
def _upserting(words: Any, table: Table, changing: Sequence[str]) -> Any:
    fresh = words.insert(table)
    told = changing or [column.key for column in table.c if not column.primary_key]
    return fresh.on_conflict_do_update(
        index_elements=[column for column in table.c if column.primary_key],
        set_={name: fresh.excluded[name] for name in told},
    )
