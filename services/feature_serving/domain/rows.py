"""Rows for the online store: checked, encoded, and which of them take effect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.feature_serving.domain import layout, wire
from services.feature_serving.domain.column import Column, check_column, check_type, entity_columns
from services.feature_serving.domain.moments import LATEST_US
from services.feature_serving.domain.view import Definition, FeatureView
from slipway.errors import invalid_field

MAX_ROWS = 50_000
MAX_VALUES = 250_000


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one view as they were given; see the contract's FeatureRows."""

    view: str
    entities: Sequence[Column]
    features: Sequence[Column]
    event_times_us: Sequence[int]
    complete_until_us: int = 0

    @property
    def reached_us(self) -> int:
        """The event time that the view has come to with these rows."""
        return self.complete_until_us or max(self.event_times_us, default=0)


@dataclass(frozen=True, slots=True)
class Row:
    """One entity's newest row; ``values`` are serialised, in the order of the batch's fields."""

    key: bytes
    event_time_us: int
    values: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows as the online store takes them, one an entity; ``missing`` are the fields of features without a column."""

    timestamp_field: bytes
    fields: tuple[bytes, ...]
    missing: tuple[bytes, ...]
    rows: Sequence[Row]


def encode(rows: Rows, view: FeatureView, project: str) -> Batch:
    """The newest row of each entity, ready to write; of rows at one event time the last. Raises InvalidInput.

    A feature without a column loses its value: another row's would look as new as this one. It is not refused, for
    then neither a view nor its writers could be the first to learn of a new feature.
    """
    keys = check_rows(rows, view.definition, project)
    count, definition = len(keys), view.definition
    given = dict(_given(rows, view))
    values = list(zip(*given.values(), strict=True)) if given else [()] * count
    newest: dict[bytes, Row] = {}
    for key, event_time_us, encoded in zip(keys, rows.event_times_us, values, strict=True):
        if key not in newest or newest[key].event_time_us <= event_time_us:
            newest[key] = Row(key, event_time_us, encoded)
    return Batch(
        layout.timestamp_field(view.name),
        tuple(layout.feature_field(view.name, name) for name in given),
        tuple(layout.feature_field(view.name, one.name) for one in definition.features if one.name not in given),
        list(newest.values()),
    )


def check_rows(rows: Rows, definition: Definition, project: str) -> list[bytes]:
    """The key of each row. Raises InvalidInput unless there are rows, or none but a moment they are complete until."""
    count = _check_times(rows)
    if not (count or rows.entities or rows.features):
        return []
    entities = entity_columns("rows.entities", rows.entities, definition.entities)
    for path, columns in (("rows.entities", rows.entities), ("rows.features", rows.features)):
        for position, column in enumerate(columns):
            check_column(f"{path}[{position}]", column, count)
    for position, column in enumerate(rows.entities):
        if column.absent:
            raise invalid_field(f"rows.entities[{position}]", f"has no value at row {min(column.absent)}; give one")
    if count * max(1, len(rows.features)) > MAX_VALUES:
        raise invalid_field("rows", f"holds {count} x {len(rows.features)} values; at most {MAX_VALUES} in one call")
    # Checked above: no entity is absent, so each row has a key.
    return [key for key in layout.entity_keys(project, entities, count) if key is not None]


def _check_times(rows: Rows) -> int:
    count = len(rows.event_times_us)
    if count > MAX_ROWS or (count == 0 and not rows.complete_until_us):
        raise invalid_field("rows.event_times_us", f"has {count} entries; give 1 to {MAX_ROWS} rows")
    for row, moment_us in enumerate(rows.event_times_us):
        if not 0 < moment_us <= LATEST_US:
            raise invalid_field(f"rows.event_times_us[{row}]", f"is {moment_us}; give microseconds since 1970")
    if not 0 <= rows.complete_until_us <= LATEST_US:
        raise invalid_field("rows.complete_until_us", f"is {rows.complete_until_us}; give microseconds since 1970")
    return count


def _given(rows: Rows, view: FeatureView) -> Iterator[tuple[str, list[bytes]]]:
    types = {feature.name: feature.type for feature in view.definition.features}
    seen: set[str] = set()
    for position, column in enumerate(rows.features):
        field = f"rows.features[{position}]"
        if column.name not in types:
            raise invalid_field(f"{field}.name", f"{column.name!r} is no feature of view {view.name!r}; apply it first")
        if column.name in seen:
            raise invalid_field(f"{field}.name", f"{column.name!r} stands twice; names must differ")
        seen.add(column.name)
        check_type(field, column, types[column.name])
        yield column.name, _encoded(column, wire.encoder(types[column.name]), len(rows.event_times_us))


def _encoded(column: Column, encode_one: wire.Encoder, count: int) -> list[bytes]:
    if column.shape is None:
        return [wire.NULL] * count
    if not column.absent:
        return [encode_one(value) for value in column.values]
    return [wire.NULL if row in column.absent else encode_one(value) for row, value in enumerate(column.values)]


def takes_effect(row: Row, stored: bytes | None) -> bool:
    """Whether ``row`` may replace what is stored under the event time ``stored``.

    An older row may not. One of the same event time may: it is a correction, which Feast's own writer would drop
    without a word. Bytes that are no event time protect nothing.
    """
    if not stored:
        return True
    try:
        return wire.read_timestamp(stored) <= row.event_time_us
    except ValueError:
        return True
