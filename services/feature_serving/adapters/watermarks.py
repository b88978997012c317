"""The watermarks in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, insert, select, update

from services.feature_serving.adapters import tables
from services.feature_serving.domain.watermark import Watermark
from slipway.paging import Page
from slipway.sql import Database

_TABLE = tables.watermark
# A windowed view has a row from its first event on, which may say nothing yet.
_REACHED = _TABLE.c.event_time_us > 0


class SqlWatermarks:
    """See Watermarks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def raise_to(self, watermarks: Sequence[Watermark]) -> None:
        """See Watermarks."""
        async with self._database.write() as connection:
            for one in watermarks:
                stored = await connection.scalar(select(_TABLE.c.event_time_us).where(_TABLE.c.view == one.view))
                values = {"event_time_us": one.event_time_us, "update_time": one.update_time}
                if stored is None:
                    await connection.execute(insert(_TABLE).values(view=one.view, **values))
                elif stored < one.event_time_us:
                    await connection.execute(update(_TABLE).where(_TABLE.c.view == one.view).values(**values))

    async def get(self, view: str) -> Watermark | None:
        """See Watermarks."""
        query = select(_TABLE).where(_TABLE.c.view == view, _REACHED)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return _of(row) if row else None

    async def page(self, page: Page) -> Sequence[Watermark]:
        """See Watermarks."""
        query = select(_TABLE).where(_REACHED).order_by(_TABLE.c.view).limit(page.fetch)
        if page.after:
            query = query.where(_TABLE.c.view > page.after[0])
        async with self._database.read() as connection:
            return [_of(row) for row in await connection.execute(query)]


def _of(row: Row[Any]) -> Watermark:
    return Watermark(row.view, row.event_time_us, row.update_time, row.late_rows)
