"""Rows of a windowed view: events, checked and as numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from services.feature_serving.domain.column import SHAPES, Column, check_type
from services.feature_serving.domain.rows import Rows, check_rows
from services.feature_serving.domain.view import Definition, FeatureView, ValueType
from services.feature_serving.domain.windows import Floats, Whole
from slipway.errors import invalid_field

LARGEST = 1e100
"""Beyond it the squares of distances would be infinite."""


@dataclass(frozen=True, slots=True)
class Happenings:
    """Events of one windowed view that came together, and count together once for each ``id``.

    ``entities`` are keys without a project. ``values`` are of shape (the view's columns, events); NaN is no value.
    """

    id: str
    view: FeatureView
    entities: list[bytes]
    times_us: Whole
    values: Floats
    reached_us: int

    @classmethod
    def nothing(cls, view: FeatureView) -> Happenings:
        """No event."""
        return cls("", view, [], np.empty(0, np.int64), np.empty((len(view.definition.columns), 0)), 0)

    def values_of(self, view: FeatureView) -> Floats:
        """The values of the columns that another revision of the view aggregates."""
        if view.revision == self.view.revision:
            return self.values
        made = np.full((len(view.definition.columns), len(self.entities)), np.nan)
        for n, name in enumerate(view.definition.columns):
            if name in self.view.definition.columns:
                made[n] = self.values[self.view.definition.columns.index(name)]
        return made


def check_events(event_id: str, rows: Rows, view: FeatureView) -> Happenings:
    """The events that ``rows`` of a windowed view are. Raises InvalidInput.

    A column that is not given holds no values: else neither a view nor its writers could be the first to learn of a
    new one. NaN is no value either, for that is how most writers of floats spell a null.
    """
    entities = check_rows(rows, view.definition, project="")
    _check_keys(rows, view.definition)
    columns = view.definition.columns
    values = np.full((len(columns), len(entities)), np.nan)
    for name, numbers in _numbers(rows, view):
        values[columns.index(name)] = numbers
    times_us = np.array(rows.event_times_us, np.int64)
    return Happenings(event_id, view, entities, times_us, values, rows.reached_us)


def _check_keys(rows: Rows, definition: Definition) -> None:
    kinds = dict(zip(definition.entities, definition.entity_types, strict=False))
    for position, column in enumerate(rows.entities):
        kind = kinds.get(column.name)
        if kind is not None and column.shape not in {None, SHAPES[kind]}:
            told = f"holds {column.shape}, but entity {column.name!r} is {kind}; give {SHAPES[kind]}"
            raise invalid_field(f"rows.entities[{position}]", told)


def _numbers(rows: Rows, view: FeatureView) -> Iterator[tuple[str, Floats]]:
    seen: set[str] = set()
    for position, column in enumerate(rows.features):
        field = f"rows.features[{position}]"
        if column.name not in view.definition.columns:
            told = f"{column.name!r} is no column that view {view.name!r} aggregates"
            raise invalid_field(f"{field}.name", f"{told}; give {', '.join(view.definition.columns)}")
        if column.name in seen:
            raise invalid_field(f"{field}.name", f"{column.name!r} stands twice; names must differ")
        seen.add(column.name)
        check_type(field, column, ValueType.DOUBLE)
        yield column.name, _floats(field, column, len(rows.event_times_us))


def _floats(field: str, column: Column, count: int) -> Floats:
    if column.shape is None:
        return np.full(count, np.nan)
    made = np.array(column.values, np.float64)
    made[list(column.absent)] = np.nan
    beyond = np.flatnonzero(np.abs(made) > LARGEST)
    if len(beyond):
        raise invalid_field(field, f"{made[beyond[0]]} at row {beyond[0]} is beyond ±1e100, which can't be summed")
    return made
