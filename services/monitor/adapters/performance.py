"""Performance windows and coverage in SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.monitor.adapters import tables
from services.monitor.adapters.spans import paged, within
from services.monitor.domain.batch import Arm
from services.monitor.domain.coverage import Coverage
from services.monitor.domain.figures import PerformanceWindow
from services.monitor.domain.label import LabelTally
from services.monitor.domain.performance import Sums, WindowKey
from services.monitor.domain.window import Span
from slipway.paging import Page

_SUMS = [field.name for field in fields(Sums) if field.name != "bins"]
_OUTCOMES = [field.name for field in fields(LabelTally)]


def sums_row(sums: Sums) -> dict[str, object]:
    """The columns of a window's sums."""
    return {**{name: getattr(sums, name) for name in _SUMS}, "bins": sorted(sums.bins.items())}


def sums_of(row: Any) -> Sums:
    """The sums that a row of ``performance_window`` holds."""
    return Sums(**{name: getattr(row, name) for name in _SUMS}, bins=dict(row.bins))


async def windows(connection: AsyncConnection, span: Span, page: Page) -> Sequence[PerformanceWindow]:
    """See Reader.performance."""
    table = tables.performance_window
    rows = await connection.execute(paged(table, page, within(table, span, select(table))))
    return [
        PerformanceWindow(
            WindowKey(Arm(row.endpoint, row.model, row.version, row.route), row.start_us, row.end_us), sums_of(row)
        )
        for row in rows
    ]


async def coverage(connection: AsyncConnection, span: Span) -> Sequence[Coverage]:
    """See Reader.coverage."""
    tallies = await _tallies(connection, span.endpoint)
    columns = tables.performance_window.c
    sums = (func.sum(columns.predictions), func.sum(columns.joined), func.max(columns.newest_label_us))
    query = within(tables.performance_window, span, select(columns.endpoint, *sums)).group_by(columns.endpoint)
    found = {row[0]: tuple(row[1:]) for row in await connection.execute(query)}
    made = []
    for endpoint in sorted(found.keys() | tallies.keys()):
        predictions, joined, newest_us = found.get(endpoint, (0, 0, None))
        tally = tallies.get(endpoint, LabelTally())
        made.append(Coverage(endpoint, int(predictions), int(joined), newest_us, tally))
    return made


async def _tallies(connection: AsyncConnection, endpoint: str) -> Mapping[str, LabelTally]:
    query = select(tables.label_tally)
    if endpoint:
        query = query.where(tables.label_tally.c.endpoint == endpoint)
    rows = await connection.execute(query)
    return {row.endpoint: LabelTally(**{name: getattr(row, name) for name in _OUTCOMES}) for row in rows}
