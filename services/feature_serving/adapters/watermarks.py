"""The watermarks in SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Row, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from services.feature_serving.adapters import tables
from services.feature_serving.domain.watermark import Watermark
from slipway.paging import Page
from slipway.sql import Database

_TABLE = tables.watermark
# A windowed view has a row from its first event on, which may say nothing yet.
_REACHED = _TABLE.c.event_time_us > 0
_SEVERAL = select(_TABLE).where(_TABLE.c.view.in_(bindparam("asked", expanding=True)), _REACHED)
_PAGE = select(_TABLE).where(_REACHED).order_by(_TABLE.c.view).limit(bindparam("fetch"))
_PAGE_AFTER = _PAGE.where(_TABLE.c.view > bindparam("after"))


async def raise_watermarks(connection: AsyncConnection, watermarks: Sequence[Watermark]) -> None:
    """Store those that are higher than what is stored for their view, in the transaction of ``connection``."""
    rows = [
        {"view": one.view, "event_time_us": one.event_time_us, "update_time": one.update_time} for one in watermarks
    ]
    if rows:
        await connection.execute(_raising(connection.dialect.name), rows)


# A statement costs more to build than to run.
@cache
def _raising(dialect: str) -> Any:
    fresh = (postgresql if dialect == "postgresql" else sqlite).insert(_TABLE)
    changes = {"event_time_us": fresh.excluded.event_time_us, "update_time": fresh.excluded.update_time}
    higher = _TABLE.c.event_time_us < fresh.excluded.event_time_us
    return fresh.on_conflict_do_update(index_elements=_TABLE.primary_key, set_=changes, where=higher)


class SqlWatermarks:
    """See Watermarks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def raise_to(self, watermarks: Sequence[Watermark]) -> None:
        """See Watermarks."""
        async with self._database.write() as connection:
            await raise_watermarks(connection, watermarks)

    async def several(self, views: Sequence[str]) -> Mapping[str, Watermark]:
        """See Watermarks."""
        async with self._database.read() as connection:
            return {row.view: _of(row) for row in await connection.execute(_SEVERAL, {"asked": list(views)})}

    async def page(self, page: Page) -> Sequence[Watermark]:
        """See Watermarks."""
        query, values = (_PAGE_AFTER, {"after": page.after[0]}) if page.after else (_PAGE, {})
        async with self._database.read() as connection:
            return [_of(row) for row in await connection.execute(query, {"fetch": page.fetch, **values})]


def _of(row: Row[Any]) -> Watermark:
    return Watermark(row.view, row.event_time_us, row.update_time, row.late_rows)
