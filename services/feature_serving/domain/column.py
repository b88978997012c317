"""Columns of a call or an event: what they may hold, held against what the catalogue says."""

from __future__ import annotations

import enum
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.feature_serving.domain.view import ValueType
from services.feature_serving.domain.wire import MICROS
from slipway.errors import InvalidInput, invalid_field


class Shape(enum.StrEnum):
    """What a column's values are; the names of its field in the contract."""

    DOUBLES = "doubles"
    INT64S = "int64s"
    STRINGS = "strings"
    BOOLS = "bools"
    TIMESTAMPS = "timestamps"


@dataclass(frozen=True, slots=True)
class Column:
    """Values of one name, one a row; ``absent`` rows have none. Without a shape every row is absent.

    Moments are microseconds since 1970.
    """

    name: str
    shape: Shape | None
    values: Sequence[Any]
    absent: frozenset[int] = frozenset()


SHAPES = {
    ValueType.BOOL: Shape.BOOLS,
    ValueType.INT32: Shape.INT64S,
    ValueType.INT64: Shape.INT64S,
    ValueType.FLOAT: Shape.DOUBLES,
    ValueType.DOUBLE: Shape.DOUBLES,
    ValueType.STRING: Shape.STRINGS,
    ValueType.TIMESTAMP: Shape.TIMESTAMPS,
}
"""The shape that each type is answered in."""

_INT32 = range(-(2**31), 2**31)
# Whole numbers that the type holds exactly.
_EXACT = {ValueType.DOUBLE: 2**53, ValueType.FLOAT: 2**24}
_pack_float = struct.Struct("<f").pack


def check_column(field: str, column: Column, rows: int) -> None:
    """Raise InvalidInput about ``field`` unless the column is one of so many rows."""
    if column.absent and max(column.absent) >= rows:
        raise invalid_field(f"{field}.absent_rows", f"names row {max(column.absent)} of {rows}; rows count from 0")
    if column.shape is None:
        if len(column.absent) < rows:
            raise invalid_field(field, f"has no values; give {rows}, or name every row in absent_rows")
    elif len(column.values) != rows:
        raise invalid_field(field, f"has {len(column.values)} values for {rows} rows; give one a row")


def _is_float(value: float) -> bool:
    try:
        _pack_float(value)
    except OverflowError:
        return False
    return True


LIMITS: Mapping[ValueType, tuple[Callable[[Any], bool], str]] = {
    ValueType.INT32: (_INT32.__contains__, "is beyond 32 bits"),
    ValueType.FLOAT: (_is_float, "is beyond single precision"),
    ValueType.TIMESTAMP: (lambda value: value % MICROS == 0, "has a fraction of a second, which is not kept"),
}
"""Which values of a type's shape it holds, and what is wrong with the others."""


def check_type(field: str, column: Column, kind: ValueType) -> None:
    """Raise InvalidInput about ``field`` unless every present value is one of ``kind``."""
    if column.shape is None:
        return
    exact = _EXACT.get(kind)
    if column.shape is Shape.INT64S and exact is not None:
        _each(field, column, lambda value: -exact <= value <= exact, f"is a whole number that {kind} can't hold")
    elif column.shape is not SHAPES[kind]:
        raise invalid_field(field, f"holds {column.shape}, but the feature is {kind}; give {SHAPES[kind]}")
    elif kind in LIMITS:
        _each(field, column, *LIMITS[kind])


def _each(field: str, column: Column, sound: Callable[[Any], bool], told: str) -> None:
    for row, value in enumerate(column.values):
        if row not in column.absent and not sound(value):
            raise invalid_field(field, f"{value!r} at row {row} {told}")


def entity_columns(path: str, columns: Sequence[Column], wanted: Sequence[str]) -> list[Column]:
    """The columns of the ``wanted`` entities, in their order.

    Raises InvalidInput naming an entity that is missing, too many, twice there, or neither text nor whole numbers.
    """
    found: dict[str, Column] = {}
    for position, column in enumerate(columns):
        field = f"{path}[{position}]"
        if column.name not in wanted:
            raise invalid_field(f"{field}.name", f"{column.name!r} is no entity here; give {', '.join(wanted)}")
        if column.name in found:
            raise _twice(field, column.name)
        if column.shape not in {None, Shape.STRINGS, Shape.INT64S}:
            raise invalid_field(field, f"holds {column.shape}; an entity is strings or int64s")
        found[column.name] = column
    for name in wanted:
        if name not in found:
            raise invalid_field(path, f"has no column {name!r}; give {', '.join(wanted)}")
    return [found[name] for name in wanted]


def _twice(field: str, name: str) -> InvalidInput:
    return invalid_field(f"{field}.name", f"{name!r} stands twice; names must differ")
