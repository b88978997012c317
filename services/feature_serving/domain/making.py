"""What a view's making must be like: the types of its keys, where its rows lie, and what makes features of events."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from services.feature_serving.domain.view import Aggregation, Definition, Function, Source, ValueType
from slipway.errors import FieldViolation
from slipway.naming import column_name

MAX_WINDOW = timedelta(days=92)
MAX_PATH = 1_000
_KEY_TYPES = (ValueType.STRING, ValueType.INT64)
_SECOND = timedelta(seconds=1)
_NOTHING = timedelta(0)


def making_faults(field: str, view: Definition) -> Iterator[FieldViolation]:
    """A violation for each part of ``view`` that says what it can't be made by."""
    if view.entity_types and len(view.entity_types) != len(view.entities):
        told = f"has {len(view.entity_types)} entries for {len(view.entities)} entities; give one an entity, or none"
        yield FieldViolation(f"{field}.entity_types", told)
    for position, kind in enumerate(view.entity_types):
        if kind not in _KEY_TYPES:
            yield FieldViolation(f"{field}.entity_types[{position}]", f"is {kind}; a key is STRING or INT64")
    if view.source is not None:
        yield from _source_faults(f"{field}.source", view.source)
    if view.aggregations:
        yield from _windowed_faults(field, view)
    elif view.hop is not None:
        yield FieldViolation(f"{field}.hop", "is set on a view without aggregations; leave it out, or add them")


def _source_faults(field: str, source: Source) -> Iterator[FieldViolation]:
    if not source.path.strip():
        yield FieldViolation(f"{field}.path", "is empty; name a Parquet file or a folder of them")
    if not source.event_time_column.strip():
        yield FieldViolation(f"{field}.event_time_column", "is empty; name the column with each row's moment")
    for name in ("name", "path", "event_time_column", "created_time_column"):
        given = getattr(source, name)
        if len(given) > MAX_PATH or "\0" in given:
            yield FieldViolation(f"{field}.{name}", f"is longer than {MAX_PATH} characters or holds a NUL; shorten it")


def _windowed_faults(field: str, view: Definition) -> Iterator[FieldViolation]:
    hop = view.hop
    if hop is None:
        yield FieldViolation(f"{field}.hop", "is not set; say how often the values change, such as 3600 s")
    elif not _whole(hop):
        yield FieldViolation(f"{field}.hop", f"is {hop}; give whole seconds, at most 92 days")
        hop = None
    types = {feature.name: feature.type for feature in view.features}
    made: set[str] = set()
    for position, one in enumerate(view.aggregations):
        path = f"{field}.aggregations[{position}]"
        if one.feature not in types:
            yield FieldViolation(f"{path}.feature", f"{one.feature!r} is no feature of the view; add it to features")
        elif one.feature in made:
            yield FieldViolation(f"{path}.feature", f"{one.feature!r} is made twice; give one aggregation a feature")
        else:
            yield from _type_faults(f"{field}.features", view, one)
        made.add(one.feature)
        yield from _window_faults(path, one, hop)
        yield from _column_faults(f"{path}.column", view, one.column)
    for position, feature in enumerate(view.features):
        if feature.name not in made:
            told = "has no aggregation; a windowed view makes every feature by one"
            yield FieldViolation(f"{field}.features[{position}]", told)


def _type_faults(path: str, view: Definition, one: Aggregation) -> Iterator[FieldViolation]:
    wanted = ValueType.INT64 if one.function is Function.COUNT else ValueType.DOUBLE
    for position, feature in enumerate(view.features):
        if feature.name == one.feature and feature.type is not wanted:
            told = f"is {feature.type}, but {one.function} makes {wanted}; change the one or the other"
            yield FieldViolation(f"{path}[{position}].type", told)


def _window_faults(path: str, one: Aggregation, hop: timedelta | None) -> Iterator[FieldViolation]:
    if not _whole(one.window):
        yield FieldViolation(f"{path}.window", f"is {one.window}; give whole seconds, at most 92 days")
    elif hop is not None and one.window % hop != _NOTHING:
        yield FieldViolation(f"{path}.window", f"is {one.window}, no whole multiple of the hop {hop}; change one")


def _column_faults(field: str, view: Definition, column: str) -> Iterator[FieldViolation]:
    if column_name(field, column) in view.entities:
        yield FieldViolation(field, f"{column!r} is an entity of the view; aggregate another column")


def _whole(span: timedelta) -> bool:
    return _NOTHING < span <= MAX_WINDOW and span % _SECOND == _NOTHING
