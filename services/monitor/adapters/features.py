"""Feature windows and progress in SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from sqlalchemy import bindparam, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from services.monitor.adapters import tables
from services.monitor.adapters.spans import within
from services.monitor.adapters.upsert import upsert
from services.monitor.domain.feature import FeatureCounts, VersionWindow
from services.monitor.domain.progress import Progress
from services.monitor.domain.window import Span

_KEY = ("start_us", "endpoint", "model", "version", "end_us")
_table = tables.feature_window
_KNOWN = select(_table.c.rows, _table.c.counts).where(*(_table.c[name] == bindparam(name) for name in _KEY))


async def windows(
    connection: AsyncConnection, span: Span, after: VersionWindow | None, limit: int
) -> Sequence[tuple[VersionWindow, FeatureCounts]]:
    """See Reader.features."""
    key = [_table.c[name] for name in _KEY]
    query = within(_table, span, select(_table))
    if after:
        query = query.where(tuple_(*key) >= tuple_(*(getattr(after, name) for name in _KEY)))
    rows = await connection.execute(query.order_by(*key).limit(limit))
    return [
        (
            VersionWindow(row.endpoint, row.model, row.version, row.start_us, row.end_us),
            FeatureCounts(row.rows, _counts(row.counts)),
        )
        for row in rows
    ]


async def add(connection: AsyncConnection, counts: Mapping[VersionWindow, FeatureCounts]) -> None:
    """See Writer.add_features."""
    rows = []
    for window, more in counts.items():
        key = {name: getattr(window, name) for name in _KEY}
        known = (await connection.execute(_KNOWN, key)).one_or_none()
        total, summed = more.rows, np.array(more.counts, dtype="<i8")
        if known:
            total, summed = total + known.rows, summed + np.frombuffer(known.counts, dtype="<i8")
        rows.append({**key, "rows": total, "counts": summed.tobytes()})
    await upsert(connection, _table, rows)


def _counts(packed: bytes) -> tuple[int, ...]:
    return tuple(np.frombuffer(packed, dtype="<i8").tolist())


async def progress(connection: AsyncConnection, endpoint: str) -> Progress:
    """See Reader.progress."""
    columns = tables.progress.c
    query = select(columns.predictions_us, columns.labels_us, columns.judged_us).where(columns.endpoint == endpoint)
    row = (await connection.execute(query)).one_or_none()
    return Progress(*row) if row else Progress()


async def keep_progress(connection: AsyncConnection, endpoint: str, reached: Progress) -> None:
    """See Writer.keep_progress."""
    row = {
        "endpoint": endpoint,
        "predictions_us": reached.predictions_us,
        "labels_us": reached.labels_us,
        "judged_us": reached.judged_us,
    }
    await upsert(connection, tables.progress, [row])
