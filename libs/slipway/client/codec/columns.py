"""Rows of Python values into typed columns.

A column has one type: bool, int, float or str. Ints beside floats become floats; any other mixture is refused,
for the model would see one of the two wrongly. None is an absent value; a column of nothing else has no type and is
left out, which means the same. A value may be a vector: a list, a tuple or an array, nested as its shape is; all of
a column have as many elements. Values of numpy and pandas are taken through their own ``item()`` and ``tolist()``,
without importing either.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from slipway.client.codec.scalars import text
from slipway.errors import InvalidInput, invalid_field
from slipway.gen.slipway.inference.v1 import resources_pb2 as res

_INT64 = range(-(2**63), 2**63)
# What stands at an absent row; the receiver ignores it.
_FILL: dict[type, Any] = {bool: False, int: 0, float: 0.0, str: ""}
_PLAIN = {*_FILL, type(None)}


def from_rows(rows: Sequence[Mapping[str, Any]], field: str = "rows", *, keep: bool = False) -> list[res.Column]:
    """A column a name, in order of first appearance; a row without the name has it absent.

    ``keep`` keeps columns without any value: a key that a row does not have is another thing than no key.
    Raises ``InvalidInput`` naming the row or the column: no rows, a row that is no mapping, mixed types.
    """
    if isinstance(rows, str) or not isinstance(rows, Sequence):
        raise invalid_field(field, f"is {type(rows).__name__}; give a list of dicts, or use predict_columns")
    if not rows:
        raise invalid_field(field, "is empty; give one row at least")
    names: dict[str, None] = {}
    for n, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise invalid_field(f"{field}[{n}]", f"is {type(row).__name__}; give a dict of column name to value")
        names.update(dict.fromkeys(row))
    made = [_column(field, name, [row.get(name) for row in rows]) for name in names]
    return made if keep else _told(made)


def from_columns(
    columns: Mapping[str, Sequence[Any]], field: str = "columns", *, keep: bool = False
) -> list[res.Column]:
    """A column a name, as :func:`from_rows`; raises ``InvalidInput`` naming a column of another length or type."""
    if not isinstance(columns, Mapping):
        shown = type(columns).__name__
        raise invalid_field(field, f"is {shown}; give a dict of column name to values, such as dict(frame.items())")
    made: list[res.Column] = []
    first: tuple[str, int] | None = None
    for name, values in columns.items():
        listed = _listed(f"{field}.{name}", values)
        first = first or (name, len(listed))
        if len(listed) != first[1]:
            raise invalid_field(f"{field}.{name}", f"has {len(listed)} values but {first[0]} has {first[1]}")
        made.append(_column(field, name, listed))
    return made if keep else _told(made)


def _told(columns: list[res.Column]) -> list[res.Column]:
    """Leave out columns without a value, unless no other tells how many rows there are."""
    told = [one for one in columns if len(one.absent_rows) < _length(one)]
    return told or columns


def row_count(features: Sequence[res.Column], keys: Sequence[res.Column]) -> int:
    """Rows that ``features`` and ``keys`` hold; refuses keys of another length, and no column at all."""
    counts = [_length(one) for one in (*features[:1], *keys[:1])]
    if not counts or not counts[0]:
        raise invalid_field("columns", "is empty; give the feature columns, or entity_keys, of one row at least")
    if len(set(counts)) > 1:
        raise invalid_field("entity_keys", f"has {counts[1]} rows but columns has {counts[0]}")
    return counts[0]


def _length(column: res.Column) -> int:
    return len(getattr(column, column.WhichOneof("values") or "doubles").values) // max(column.width, 1)


def _listed(label: str, values: Any) -> list[Any]:
    if callable(tolist := getattr(values, "tolist", None)):
        values = tolist()
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise invalid_field(label, f"is {type(values).__name__}; give a list with one value a row")
    return list(values)


def _column(field: str, name: str, values: list[Any]) -> res.Column:
    label = f"{field}.{name}"
    absent = [n for n, value in enumerate(values) if value is None]
    width = 0
    if any(_is_vector(value) for value in values):
        values, width = _flattened(label, values)
    plain = values
    if not set(map(type, values)) <= _PLAIN:
        plain = [_plain(label, n // max(width, 1), value) for n, value in enumerate(values)]
    kind = _kind(label, plain)
    fill = _FILL[kind]
    filled = [fill if value is None else value for value in plain] if absent else plain
    made = res.Column(name=text(field, name), absent_rows=absent, width=width)
    _put(made, label, kind, filled)
    return made


def _is_vector(value: Any) -> bool:
    return isinstance(value, list | tuple) or getattr(value, "ndim", 0) > 0


def _flattened(label: str, rows: list[Any]) -> tuple[list[Any], int]:
    """The elements of all rows in row-major order, and those of one; None for all of a row that is None."""
    vectors = [None if row is None else _elements(label, n, row) for n, row in enumerate(rows)]
    width = max(0 if one is None else len(one) for one in vectors)
    for n, one in enumerate(vectors):
        if one is not None and (len(one) != width or not width):
            raise invalid_field(label, f"has {len(one)} elements at row {n}; give as many in each row, at least one")
        if one is not None and None in one:
            raise invalid_field(label, f"has None within the vector at row {n}; give NaN, or None for the whole of it")
    return list(chain.from_iterable([None] * width if one is None else one for one in vectors)), width


def _elements(label: str, row: int, vector: Any) -> list[Any]:
    if not _is_vector(vector):
        raise invalid_field(
            label, f"has {type(vector).__name__} at row {row} beside vectors; give a vector in each row"
        )
    level = _opened(vector)
    while level and _is_vector(level[0]):
        parts = [_opened(one) if _is_vector(one) else [] for one in level]
        if len(set(map(len, parts))) > 1:
            raise invalid_field(label, f"is no array at row {row}: its parts differ in length; give one shape")
        level = list(chain.from_iterable(parts))
    return level


def _opened(vector: Any) -> list[Any]:
    return list(vector.tolist() if callable(getattr(vector, "tolist", None)) else vector)


def _plain(label: str, row: int, value: Any) -> Any:
    if value is None or type(value) in _FILL:
        return value
    if callable(item := getattr(value, "item", None)):
        value = item()
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    shown = type(value).__name__
    raise invalid_field(label, f"has {shown} at row {row}; give bool, int, float, str or None")


def _kind(label: str, values: list[Any]) -> type:
    kinds = {type(value) for value in values} - {type(None)}
    if not kinds or kinds == {int, float}:
        # Nothing present tells no type; doubles do to count rows by.
        return float
    if len(kinds) > 1:
        raise _mixed(label, kinds)
    return kinds.pop()


def _mixed(label: str, kinds: set[type]) -> InvalidInput:
    shown = " and ".join(sorted(kind.__name__ for kind in kinds))
    hint = "; an absent text is None, not NaN" if kinds == {float, str} else ""
    return invalid_field(label, f"mixes {shown}; give values of one type{hint}")


def _put(made: res.Column, label: str, kind: type, values: list[Any]) -> None:
    if kind is bool:
        made.bools.values.extend(values)
        made.bools.SetInParent()
    elif kind is int:
        if any(value not in _INT64 for value in values):
            raise invalid_field(label, "has an int beyond 64 bits; give it as a float or a str")
        made.int64s.values.extend(values)
        made.int64s.SetInParent()
    elif kind is str:
        made.strings.values.extend(text(label, value) for value in values)
        made.strings.SetInParent()
    else:
        try:
            made.doubles.values.extend(values)
        except OverflowError:
            raise invalid_field(label, "has an int beyond what a float holds") from None
        made.doubles.SetInParent()
