"""Predictions and labels that are kept for each other, in SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Table, and_, delete, exists, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from services.monitor.adapters import tables
from services.monitor.adapters.performance import sums_of, sums_row
from services.monitor.adapters.spans import key_row
from services.monitor.domain.batch import Arm
from services.monitor.domain.label import KeptLabel, Label, LabelTally
from services.monitor.domain.performance import Sums, WindowKey
from services.monitor.domain.prediction import Prediction

# Databases bound how many values a statement takes.
_IDS = 1000


class SqlJoins:
    """See Joins; in the transaction of ``connection``."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def predictions(self, endpoint: str, ids: Sequence[str]) -> Sequence[Prediction]:
        """See Joins."""
        rows = await self._of_ids(tables.prediction, endpoint, ids)
        arms: dict[tuple[str, int, str], Arm] = {}
        found: list[Prediction] = []
        for _, prediction_id, model, version, route, event_us, score, window_us, _ in rows:
            arm = arms.setdefault((model, version, route), Arm(endpoint, model, version, route))
            found.append(Prediction(prediction_id, arm, event_us, score, window_us))
        return found

    async def labels(self, endpoint: str, ids: Sequence[str]) -> Mapping[str, KeptLabel]:
        """See Joins."""
        rows = await self._of_ids(tables.label, endpoint, ids)
        return {
            prediction_id: KeptLabel(Label(value, time_us), source, joined)
            for _, prediction_id, value, time_us, source, joined, _ in rows
        }

    async def keep_predictions(self, rows: Sequence[Prediction], now: datetime) -> None:
        """See Joins."""
        if rows:
            await self._connection.execute(insert(tables.prediction), [_prediction_row(row, now) for row in rows])

    async def keep_labels(self, endpoint: str, labels: Mapping[str, KeptLabel], now: datetime) -> None:
        """See Joins."""
        rows = [_label_row(endpoint, prediction_id, kept, now) for prediction_id, kept in labels.items()]
        told = ("value", "time_us", "source", "joined")
        await self._upsert(tables.label, ("endpoint", "prediction_id"), rows, told)

    async def add_sums(self, sums: Mapping[WindowKey, Sums]) -> None:
        """See Joins."""
        table = tables.performance_window
        merged = {key: (await self._sums(key)) + more for key, more in sums.items()}
        rows = [{**key_row(key.arm, key.start_us, key.end_us), **sums_row(one)} for key, one in merged.items()]
        keys = [column.key for column in table.c if column.primary_key]
        await self._upsert(table, keys, rows, [column.key for column in table.c if not column.primary_key])

    async def add_tally(self, endpoint: str, tally: LabelTally) -> None:
        """See Joins."""
        if tally == LabelTally():
            return
        fresh = _dialect(self._connection).insert(tables.label_tally)
        more = {name: tables.label_tally.c[name] + fresh.excluded[name] for name in asdict(tally)}
        upsert = fresh.on_conflict_do_update(index_elements=["endpoint"], set_=more)
        await self._connection.execute(upsert, {"endpoint": endpoint, **asdict(tally)})

    async def prune(self, before: datetime) -> Mapping[str, int]:
        """See Joins."""
        label, prediction = tables.label.c, tables.prediction.c
        await self._connection.execute(delete(tables.prediction).where(prediction.seen_at < before))
        same = and_(prediction.endpoint == label.endpoint, prediction.prediction_id == label.prediction_id)
        gone = and_(label.seen_at < before, ~exists().where(same))
        waited = select(label.endpoint, func.count()).where(gone, ~label.joined).group_by(label.endpoint)
        expired = {row[0]: int(row[1]) for row in await self._connection.execute(waited)}
        await self._connection.execute(delete(tables.label).where(gone))
        return expired

    async def _of_ids(self, table: Table, endpoint: str, ids: Sequence[str]) -> Sequence[Any]:
        found: list[Any] = []
        for first in range(0, len(ids), _IDS):
            some = ids[first : first + _IDS]
            query = select(table).where(table.c.endpoint == endpoint, table.c.prediction_id.in_(some))
            found += (await self._connection.execute(query)).all()
        return found

    async def _sums(self, key: WindowKey) -> Sums:
        table = tables.performance_window
        wanted = key_row(key.arm, key.start_us, key.end_us)
        query = select(table).where(*(table.c[name] == value for name, value in wanted.items()))
        row = (await self._connection.execute(query)).one_or_none()
        return sums_of(row) if row else Sums()

    async def _upsert(
        self, table: Table, key: Sequence[str], rows: Sequence[Mapping[str, object]], changing: Sequence[str]
    ) -> None:
        if not rows:
            return
        fresh = _dialect(self._connection).insert(table)
        upsert = fresh.on_conflict_do_update(
            index_elements=list(key), set_={name: fresh.excluded[name] for name in changing}
        )
        await self._connection.execute(upsert, rows)


def _dialect(connection: AsyncConnection) -> Any:
    return postgresql if connection.dialect.name == "postgresql" else sqlite


def _prediction_row(row: Prediction, now: datetime) -> dict[str, object]:
    arm = row.arm
    return {
        "endpoint": arm.endpoint,
        "prediction_id": row.prediction_id,
        "model": arm.model,
        "version": arm.version,
        "route": arm.route,
        "event_us": row.event_us,
        "score": row.score,
        "window_us": row.window_us,
        "seen_at": now,
    }


def _label_row(endpoint: str, prediction_id: str, kept: KeptLabel, now: datetime) -> dict[str, object]:
    return {
        "endpoint": endpoint,
        "prediction_id": prediction_id,
        "value": kept.label.value,
        "time_us": kept.label.time_us,
        "source": kept.source,
        "joined": kept.joined,
        "seen_at": now,
    }
