"""Predictions and labels that are kept for each other, in SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Table, and_, bindparam, delete, exists, func, insert, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from services.monitor.adapters import tables
from services.monitor.adapters.performance import sums_of, sums_row
from services.monitor.adapters.spans import key_of, key_row
from services.monitor.adapters.upsert import dialect, upsert
from services.monitor.domain.batch import Arm
from services.monitor.domain.label import KeptLabel, Label, LabelTally
from services.monitor.domain.performance import Sums, WindowKey
from services.monitor.domain.prediction import Prediction

# Databases bound how many values a statement takes.
_IDS = 1000
_WINDOWS = tables.performance_window
_KEY = tuple(column.name for column in key_of(_WINDOWS))
_SUMS = select(_WINDOWS).where(tuple_(*key_of(_WINDOWS)).in_(bindparam("keys", expanding=True)))


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
        await upsert(self._connection, tables.label, rows, ("value", "time_us", "source", "joined"))

    async def add_sums(self, sums: Mapping[WindowKey, Sums]) -> None:
        """See Joins."""
        keys = [key_row(key.arm, key.start_us, key.end_us) for key in sums]
        known = await self._sums(keys)
        rows = [
            {**key, **sums_row(known.get(_key_of(key), Sums()) + more)}
            for key, more in zip(keys, sums.values(), strict=True)
        ]
        await upsert(self._connection, _WINDOWS, rows)

    async def add_tally(self, endpoint: str, tally: LabelTally) -> None:
        """See Joins."""
        if tally == LabelTally():
            return
        fresh = dialect(self._connection).insert(tables.label_tally)
        more = {name: tables.label_tally.c[name] + fresh.excluded[name] for name in asdict(tally)}
        adding = fresh.on_conflict_do_update(index_elements=["endpoint"], set_=more)
        await self._connection.execute(adding, {"endpoint": endpoint, **asdict(tally)})

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

    async def _sums(self, asked: Sequence[dict[str, object]]) -> dict[tuple[object, ...], Sums]:
        found: dict[tuple[object, ...], Sums] = {}
        for first in range(0, len(asked), _IDS):
            keys = [_key_of(row) for row in asked[first : first + _IDS]]
            for row in await self._connection.execute(_SUMS, {"keys": keys}):
                found[tuple(getattr(row, name) for name in _KEY)] = sums_of(row)
        return found


def _key_of(row: Mapping[str, object]) -> tuple[object, ...]:
    return tuple(row[name] for name in _KEY)


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
