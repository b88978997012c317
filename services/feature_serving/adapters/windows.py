"""What windowed views' events have left behind, in SQL: tiles, where each view stands, the ids that were counted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from services.feature_serving.adapters import tables
from services.feature_serving.domain import windows
from services.feature_serving.domain.advance import Standing
from services.feature_serving.domain.tiles import Tile
from slipway.events.inbox import Inbox
from slipway.sql import Database, Transactions

_GROUP = "feature_serving"
_TILE, _MARK = tables.window_tile, tables.watermark
_FIELDS = ("count", "total", "squares", "least", "greatest")


class SqlWindowReader:
    """One snapshot."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def standing(self, view: str) -> Standing:
        """See WindowReader."""
        row = (await self._connection.execute(select(_MARK).where(_MARK.c.view == view))).one_or_none()
        if row is None:
            return Standing()
        # An event without rows is not stored: where it was to, the values have come.
        complete_us = max(row.complete_us, row.event_time_us)
        return Standing(complete_us, row.event_time_us, row.late_rows, row.version)

    async def tiles(self, view: str, columns: Sequence[str]) -> Sequence[Tile]:
        """See WindowReader."""
        query = select(_TILE).where(_TILE.c.view == view, _TILE.c.column_name.in_(columns))
        places = {column: n for n, column in enumerate(columns)}
        found: dict[tuple[int, bytes], Tile] = {}
        for row in await self._connection.execute(query):
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

    async def put(
        self, view: str, columns: Sequence[str], tiles: Sequence[Tile], standing: Standing, now: datetime
    ) -> None:
        """See WindowWriter."""
        rows = [
            {
                "view": view,
                "start_us": one.start_us,
                "entity": one.entity,
                "column_name": column,
                **dict(zip(_FIELDS, partial.tolist(), strict=True)),
            }
            for one in tiles
            for column, partial in zip(columns, one.partials, strict=True)
        ]
        if rows:
            put = self._insert(_TILE)
            changes = {field: put.excluded[field] for field in _FIELDS}
            await self._connection.execute(
                put.on_conflict_do_update(index_elements=_TILE.primary_key, set_=changes), rows
            )
        mark = self._insert(_MARK)
        changes = {name: mark.excluded[name] for name in ("complete_us", "late_rows", "version")}
        await self._connection.execute(
            mark.on_conflict_do_update(index_elements=_MARK.primary_key, set_=changes),
            {
                "view": view,
                "event_time_us": 0,
                "update_time": now,
                "complete_us": standing.complete_us,
                "late_rows": standing.late_rows,
                "version": standing.version,
            },
        )

    async def reach(self, view: str, reached_us: int, now: datetime) -> None:
        """See WindowWriter."""
        mark = self._insert(_MARK)
        changes = {"event_time_us": mark.excluded.event_time_us, "update_time": mark.excluded.update_time}
        higher = _MARK.c.event_time_us < mark.excluded.event_time_us
        await self._connection.execute(
            mark.on_conflict_do_update(index_elements=_MARK.primary_key, set_=changes, where=higher),
            {"view": view, "event_time_us": reached_us, "update_time": now},
        )

    async def trim(self, view: str, before_us: int) -> None:
        """See WindowWriter."""
        await self._connection.execute(delete(_TILE).where(_TILE.c.view == view, _TILE.c.start_us < before_us))

    def _insert(self, table: Any) -> Any:
        dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
        return dialect.insert(table)


class SqlWindows(Transactions[SqlWindowReader, SqlWindowWriter]):
    """See Windows."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, SqlWindowReader, SqlWindowWriter)
