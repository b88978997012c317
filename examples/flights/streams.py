"""What sources tell as time goes by: rows of feature views as events for ``features.rows.v1``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from slipway.client import FeatureView, ValueType
from slipway.events import Event
from slipway.gen.slipway.features.v1 import events_pb2, resources_pb2

TOPIC = "features.rows.v1"
_EVENT_ROWS = 4_000
_SOURCE = "slipway/examples/flights"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Told:
    name: str
    type: ValueType


class Stream:
    """One view's source, played in event time: each row once, in order.

    ``table`` is the view's source as training sets read it. Rows without one of the view's join keys tell of no
    entity, and are left out.
    """

    def __init__(self, view: FeatureView, table: pd.DataFrame) -> None:
        if view.source is None:
            raise ValueError(f"the view {view.name} has no source to play")
        time = view.source.event_time_column
        rows = table.dropna(subset=list(view.entities)).sort_values(time, kind="stable", ignore_index=True)
        self.view = view.name
        self._entities = [_Told(name, kind) for name, kind in zip(view.entities, view.entity_types, strict=True)]
        self._features = _columns(view)
        self._rows = rows
        self._times_us = rows[time].astype("datetime64[us, UTC]").astype("int64").to_numpy()

    def events(self, after: datetime | None, until: datetime) -> Iterator[Event]:
        """Events with the rows that became known after ``after`` and not after ``until``; the last one closes the time.

        There is always a last one, if need be without rows. The same stretch gives the same events.
        """
        first = 0 if after is None else int(np.searchsorted(self._times_us, _us(after), side="right"))
        end = int(np.searchsorted(self._times_us, _us(until), side="right"))
        starts = range(first, end, _EVENT_ROWS) if end > first else [first]
        for start in starts:
            stop = min(start + _EVENT_ROWS, end)
            yield self._event(start, stop, until if stop == end else None)

    def _event(self, start: int, stop: int, complete_until: datetime | None) -> Event:
        rows = self._rows.iloc[start:stop]
        message = events_pb2.FeatureRows(
            view=self.view,
            entities=[_column(one, rows[one.name]) for one in self._entities] if len(rows) else [],
            features=[_column(one, rows[one.name]) for one in self._features] if len(rows) else [],
            event_times_us=self._times_us[start:stop].tolist(),
            complete_until_us=0 if complete_until is None else _us(complete_until),
        )
        time = complete_until or _EPOCH + timedelta(microseconds=int(self._times_us[stop - 1]))
        return Event(
            id=f"{self.view}.{start}-{stop}.{message.complete_until_us}",
            topic=TOPIC,
            key=self.view,
            type=TOPIC,
            source=_SOURCE,
            time=time,
            value=message.SerializeToString(),
        )


def _columns(view: FeatureView) -> Sequence[_Told]:
    if view.aggregations:
        read = dict.fromkeys(one.column for one in view.aggregations)
        return [_Told(name, ValueType.DOUBLE) for name in read]
    return [_Told(one.name, one.type) for one in view.features]


def _column(told: _Told, values: pd.Series) -> resources_pb2.Column:
    absent = values.isna().to_numpy()
    column = resources_pb2.Column(name=told.name, absent_rows=np.flatnonzero(absent).tolist())
    if told.type == ValueType.STRING:
        column.strings.values.extend(values.fillna("").astype(str).tolist())
    elif told.type in {ValueType.INT32, ValueType.INT64}:
        column.int64s.values.extend(values.fillna(0).astype("int64").tolist())
    else:
        numbers: npt.NDArray[np.float64] = values.fillna(0.0).to_numpy(dtype=np.float64)
        column.doubles.values.extend(numbers.tolist())
    return column


def _us(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)
