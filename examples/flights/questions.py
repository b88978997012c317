"""The flights that are asked about, and what became of them, in order of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from examples.flights.micros import column, micros, moment_of
from slipway.events import Event
from slipway.gen.slipway.monitor.v1 import events_pb2

LABELS = "monitor.labels.v1"
ENTITIES = ("flight", "carrier", "origin", "dest", "tailnum")
_SOURCE = "slipway/examples/flights"
_LABEL_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Batch:
    """Flights that are asked about together, by column; the n-th entry of each belongs to the n-th flight."""

    ids: Sequence[str]
    event_times: Sequence[datetime]
    entities: Mapping[str, Sequence[Any]]
    features: Mapping[str, Sequence[Any]]


class Questions:
    """Every k-th of the flights that depart in a stretch of time, each under its own name as the prediction's id.

    ``flights`` has ``flight`` (unique), the join keys, ``event_time`` (the question's moment), the request's feature
    columns, ``late`` (missing where the flight never arrived) and ``label_time`` (when that was known).
    """

    def __init__(
        self, flights: pd.DataFrame, features: Sequence[str], *, start: datetime, end: datetime, every: int
    ) -> None:
        moments = flights["event_time"]
        inside = flights[(moments >= pd.Timestamp(start)) & (moments < pd.Timestamp(end))]
        asked = inside.sort_values(["event_time", "flight"], ignore_index=True).iloc[::every]
        self._asked = asked.reset_index(drop=True)
        self._features = {name: _plain(self._asked[name]) for name in features}
        self._entities = {name: _plain(self._asked[name]) for name in ENTITIES}
        self._ids: list[str] = self._asked["flight"].tolist()
        self._moments_us = column(self._asked["event_time"])
        known = self._asked[self._asked["late"].notna()].sort_values("label_time", kind="stable")
        self._known_ids: list[str] = known["flight"].tolist()
        self._known_late: list[float] = known["late"].astype("float64").tolist()
        self._known_us = column(known["label_time"])

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def labelled(self) -> int:
        """Flights that arrived, and so get a label in the end."""
        return len(self._known_ids)

    @property
    def last_label_time(self) -> datetime:
        """When the last of them has landed."""
        return moment_of(int(self._known_us[-1]))

    def asked_by(self, moment: datetime) -> datetime | None:
        """The latest moment asked about before ``moment``; None when there was none."""
        return _last(self._moments_us, micros(moment) - 1)

    def known_by(self, moment: datetime) -> datetime | None:
        """When the latest label that was known by ``moment`` became known; None when there was none."""
        return _last(self._known_us, micros(moment))

    def next_due(self, moment: datetime) -> datetime | None:
        """The first moment asked about at or after ``moment``; None when there is none."""
        at = int(np.searchsorted(self._moments_us, micros(moment), side="left"))
        return moment_of(int(self._moments_us[at])) if at < len(self._moments_us) else None

    def due(self, start: datetime, end: datetime) -> Batch:
        """The flights whose question's moment lies from ``start`` to before ``end``."""
        first, stop = np.searchsorted(self._moments_us, [micros(start), micros(end)], side="left").tolist()
        return Batch(
            ids=self._ids[first:stop],
            event_times=[moment_of(one) for one in self._moments_us[first:stop].tolist()],
            entities={name: values[first:stop] for name, values in self._entities.items()},
            features={name: values[first:stop] for name, values in self._features.items()},
        )

    def labels(self, endpoint: str, after: datetime, until: datetime) -> list[Event]:
        """Labels that became known after ``after`` and not after ``until``."""
        first, end = np.searchsorted(self._known_us, [micros(after), micros(until)], side="right").tolist()
        starts = range(first, end, _LABEL_ROWS)
        return [self._labels(endpoint, start, min(start + _LABEL_ROWS, end)) for start in starts]

    def _labels(self, endpoint: str, start: int, stop: int) -> Event:
        message = events_pb2.LabelBatch(
            endpoint=endpoint,
            prediction_ids=self._known_ids[start:stop],
            values=self._known_late[start:stop],
            label_times_us=self._known_us[start:stop].tolist(),
            source="landings",
        )
        return Event(
            id=f"{endpoint}.labels.{start}-{stop}",
            topic=LABELS,
            key=endpoint,
            type=LABELS,
            source=_SOURCE,
            time=moment_of(int(self._known_us[stop - 1])),
            value=message.SerializeToString(),
        )


def _last(rising_us: npt.NDArray[np.int64], until_us: int) -> datetime | None:
    stop = int(np.searchsorted(rising_us, until_us, side="right"))
    return moment_of(int(rising_us[stop - 1])) if stop else None


def _plain(values: pd.Series) -> list[Any]:
    objects = values.astype(object)
    return list(objects.where(values.notna(), None))
