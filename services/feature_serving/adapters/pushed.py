"""Rows that came by call alone, in SQL, as the online store has them."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import AsyncIterator, Iterable, Sequence
from functools import cache
from itertools import groupby
from typing import Any

from sqlalchemy import Row as SqlRow
from sqlalchemy import select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from services.feature_serving.adapters import tables
from services.feature_serving.adapters.watermarks import raise_watermarks
from services.feature_serving.domain import layout
from services.feature_serving.domain.rows import Batch, Row
from services.feature_serving.domain.watermark import Watermark
from slipway.sql import Database

_TABLE = tables.pushed_row
_AT_ONCE = 1_000
_length = struct.Struct("<I")


class SqlPushed:
    """See Pushed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, view: str, batch: Batch, watermarks: Sequence[Watermark]) -> None:
        """See Pushed."""
        fields = _pack(batch.fields)
        rows = [
            {
                "view": view,
                # An entity may be longer than what an index takes.
                "digest": hashlib.sha256(row.key).digest(),
                "key": row.key,
                "event_time_us": row.event_time_us,
                "fields": fields,
                "packed": _pack(row.values),
            }
            for row in batch.rows
        ]
        async with self._database.write() as connection:
            if rows:
                await connection.execute(_keeping(connection.dialect.name), rows)
            await raise_watermarks(connection, watermarks)

    async def batches(self) -> AsyncIterator[Batch]:
        """See Pushed."""
        key = tuple_(_TABLE.c.view, _TABLE.c.digest)
        query = select(_TABLE).order_by(_TABLE.c.view, _TABLE.c.digest).limit(_AT_ONCE)
        page = query
        while True:
            async with self._database.read() as connection:
                found = (await connection.execute(page)).all()
            for (view, fields), rows in groupby(found, lambda row: (row.view, row.fields)):
                yield Batch(layout.timestamp_field(view), _unpack(fields), (), [_row(row) for row in rows])
            if len(found) < _AT_ONCE:
                return
            page = query.where(key > tuple_(found[-1].view, found[-1].digest))


# A statement costs more to build than to run.
@cache
def _keeping(dialect: str) -> Any:
    fresh = (postgresql if dialect == "postgresql" else sqlite).insert(_TABLE)
    changes = {name: fresh.excluded[name] for name in ("event_time_us", "fields", "packed")}
    not_older = _TABLE.c.event_time_us <= fresh.excluded.event_time_us
    return fresh.on_conflict_do_update(index_elements=_TABLE.primary_key, set_=changes, where=not_older)


def _row(row: SqlRow[Any]) -> Row:
    return Row(row.key, row.event_time_us, _unpack(row.packed))


def _pack(parts: Iterable[bytes]) -> bytes:
    return b"".join(_length.pack(len(part)) + part for part in parts)


def _unpack(packed: bytes) -> tuple[bytes, ...]:
    parts: list[bytes] = []
    at = 0
    while at < len(packed):
        (size,) = _length.unpack_from(packed, at)
        parts.append(packed[at + 4 : at + 4 + size])
        at += 4 + size
    return tuple(parts)
