"""What sources tell as time goes by: rows of feature views as events for ``features.rows.v1``."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from examples.flights.micros import column, micros, moment_of
from slipway.client import FeatureView, ValueType
from slipway.events import Event
from slipway.gen.slipway.features.v1 import events_pb2, resources_pb2

TOPIC = "features.rows.v1"
_EVENT_ROWS = 4_000
_SOURCE = "slipway/examples/flights"


class _Column:
    """One column of a source, ready to be cut into events."""

    def __init__(self, name: str, kind: ValueType, values: pd.Series) -> None:
        self._name = name
        self._absent = np.flatnonzero(values.isna().to_numpy())
        self._kind = {ValueType.STRING: "strings", ValueType.INT32: "int64s", ValueType.INT64: "int64s"}.get(
            kind, "doubles"
        )
        fill, as_type = {"strings": ("", str), "int64s": (0, "int64"), "doubles": (0.0, "float64")}[self._kind]
        self._values: list[Any] = values.fillna(fill).astype(as_type).tolist()

    def cut(self, start: int, stop: int) -> resources_pb2.Column:
        """The rows from ``start`` to before ``stop``."""
        first, end = np.searchsorted(self._absent, [start, stop])
        column = resources_pb2.Column(name=self._name, absent_rows=(self._absent[first:end] - start).tolist())
        getattr(column, self._kind).values.extend(self._values[start:stop])
        return column


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
        kinds = zip(view.entities, view.entity_types, strict=True)
        self._entities = [_Column(name, kind, rows[name]) for name, kind in kinds]
        self._features = [_Column(name, kind, rows[name]) for name, kind in _columns(view).items()]
        self._times_us = column(rows[time])

    def events(self, after: datetime | None, until: datetime) -> Iterator[Event]:
        """Events with the rows that became known after ``after`` and not after ``until``; the last one closes the time.

        There is always a last one, if need be without rows. The same stretch gives the same events.
        """
        first = 0 if after is None else int(np.searchsorted(self._times_us, micros(after), side="right"))
        end = int(np.searchsorted(self._times_us, micros(until), side="right"))
        starts = range(first, end, _EVENT_ROWS) if end > first else [first]
        for start in starts:
            stop = min(start + _EVENT_ROWS, end)
            yield self._event(start, stop, until if stop == end else None)

    def _event(self, start: int, stop: int, complete_until: datetime | None) -> Event:
        message = events_pb2.FeatureRows(
            view=self.view,
            entities=[one.cut(start, stop) for one in self._entities if stop > start],
            features=[one.cut(start, stop) for one in self._features if stop > start],
            event_times_us=self._times_us[start:stop].tolist(),
            complete_until_us=0 if complete_until is None else micros(complete_until),
        )
        time = complete_until or moment_of(int(self._times_us[stop - 1]))
        return Event(
            id=f"{self.view}.{start}-{stop}.{message.complete_until_us}",
            topic=TOPIC,
            key=self.view,
            type=TOPIC,
            source=_SOURCE,
            time=time,
            value=message.SerializeToString(),
        )


def _columns(view: FeatureView) -> dict[str, ValueType]:
    if view.aggregations:
        return {one.column: ValueType.DOUBLE for one in view.aggregations}
    return {one.name: one.type for one in view.features}
