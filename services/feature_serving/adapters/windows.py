"""What windowed views' events have left behind, in SQL: tiles, where each view stands, the ids that were counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Row, Table, bindparam, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from services.feature_serving.adapters import tables
from services.feature_serving.adapters.watermarks import raise_watermarks
from services.feature_serving.domain import windows
from services.feature_serving.domain.advance import Change, Standing
from services.feature_serving.domain.tiles import Tile
from services.feature_serving.domain.watermark import Watermark
from slipway.events.inbox import Inbox
from slipway.sql import Database, Transactions

_GROUP = "feature_serving"
_TILE, _MARK = tables.window_tile, tables.watermark
_FIELDS = ("count", "total", "squares", "least", "greatest")
# A statement costs more to build than to run.
_STANDINGS = select(_MARK).where(_MARK.c.view.in_(bindparam("views", expanding=True)))
_TILES = select(_TILE).where(
    _TILE.c.view == bindparam("of"), _TILE.c.column_name.in_(bindparam("columns", expanding=True))
)
_TRIM = delete(_TILE).where(_TILE.c.view == bindparam("of"), _TILE.c.start_us < bindparam("before_us"))


class SqlWindowReader:
    """One snapshot."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def standings(self, views: Sequence[str]) -> Mapping[str, Standing]:
        """See WindowReader."""
        rows = await self._connection.execute(_STANDINGS, {"views": list(views)})
        return {view: Standing() for view in views} | {row.view: _standing_of(row) for row in rows}

    async def tiles(self, view: str, columns: Sequence[str]) -> Sequence[Tile]:
        """See WindowReader."""
        places = {column: n for n, column in enumerate(columns)}
        found: dict[tuple[int, bytes], Tile] = {}
        for row in await self._connection.execute(_TILES, {"of": view, "columns": list(columns)}):
            key = row.start_us, row.entity
            if key not in found:
                found[key] = Tile(row.start_us, row.entity, windows.empty(len(columns), 1)[:, :, 0])
            found[key].partials[places[row.column_name]] = [getattr(row, field) for field in _FIELDS]
        return list(found.values())

    async def unfinished(self) -> Sequence[str]:
        """See WindowReader."""
        query = select(_MARK.c.view).where(_MARK.c.complete_us > _MARK.c.event_time_us)
        return list((await self._connection.execute(query)).scalars())


class SqlWindowWriter(SqlWindowReader):
    """The writing transaction."""

    async def claim(self, event_ids: Sequence[str], now: datetime) -> set[str]:
        """See WindowWriter."""
        return await Inbox.claim(self._connection, _GROUP, event_ids, now=now)

    async def forget(self, before: datetime) -> int:
        """See WindowWriter."""
        return await Inbox.forget(self._connection, before)

    async def put(self, changes: Sequence[Change], now: datetime) -> None:
        """See WindowWriter."""
        dialect = self._connection.dialect.name
        if tiles := [row for one in changes for row in _tile_rows(one)]:
            await self._connection.execute(_putting(_TILE, _FIELDS, dialect), tiles)
        if changes:
            marks = [_mark_row(one, now) for one in changes]
            await self._connection.execute(_putting(_MARK, ("complete_us", "late_rows", "version"), dialect), marks)

    async def reach(self, watermarks: Sequence[Watermark]) -> None:
        """See WindowWriter."""
        await raise_watermarks(self._connection, watermarks)

    async def trim(self, before_us: Mapping[str, int]) -> None:
        """See WindowWriter."""
        if before_us:
            rows = [{"of": view, "before_us": moment_us} for view, moment_us in before_us.items()]
            await self._connection.execute(_TRIM, rows)


class SqlWindows(Transactions[SqlWindowReader, SqlWindowWriter]):
    """See Windows."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, SqlWindowReader, SqlWindowWriter)


@cache
def _putting(table: Table, changing: Sequence[str], dialect: str) -> Any:
    put = (postgresql if dialect == "postgresql" else sqlite).insert(table)
    changes = {name: put.excluded[name] for name in changing}
    return put.on_conflict_do_update(index_elements=table.primary_key, set_=changes)


def _standing_of(row: Row[Any]) -> Standing:
    # An event without rows is not stored: where it was to, the values have come.
    complete_us = max(row.complete_us, row.event_time_us)
    return Standing(complete_us, row.event_time_us, row.late_rows, row.version)


def _tile_rows(change: Change) -> list[dict[str, object]]:
    return [
        {
            "view": change.view,
            "start_us": one.start_us,
            "entity": one.entity,
            "column_name": column,
            **dict(zip(_FIELDS, partial, strict=True)),
        }
        for one in change.tiles
        for column, partial in zip(change.columns, one.partials.tolist(), strict=True)
    ]


def _mark_row(change: Change, now: datetime) -> dict[str, object]:
    standing = change.standing
    return {
        "view": change.view,
        "event_time_us": 0,
        "update_time": now,
        "complete_us": standing.complete_us,
        "late_rows": standing.late_rows,
        "version": standing.version,
    }
