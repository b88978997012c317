"""Where Feast keeps online values in Redis: its keys, at serialisation version 3, and its hash fields.

A hash an entity; in it a field a feature, and one with the event time for each view.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import mmh3

from services.feature_serving.domain.column import Column, Shape

_STRING, _INT64 = 2, 4
_two = struct.Struct("<II").pack
_whole = struct.Struct("<IIq").pack


def entity_keys(project: str, columns: Sequence[Column], rows: int) -> list[bytes | None]:
    """A key a row; None for a row that lacks an entity. ``columns`` hold strings or int64s."""
    ordered = sorted(columns, key=lambda column: column.name)
    head = struct.pack("<I", len(ordered)) + b"".join(
        _two(_STRING, len(name)) + name for name in (column.name.encode() for column in ordered)
    )
    tail = project.encode()
    absent = frozenset[int]().union(*(column.absent for column in ordered))
    if any(column.shape is None for column in ordered):
        return [None] * rows
    parts = zip(*(_values(column) for column in ordered), strict=True)
    keys: list[bytes | None] = [head + b"".join(part) + tail for part in parts]
    for row in absent:
        keys[row] = None
    return keys


def _values(column: Column) -> list[bytes]:
    if column.shape is Shape.INT64S:
        return [_whole(_INT64, 8, value) for value in column.values]
    texts = (value.encode() for value in column.values)
    return [_two(_STRING, len(text)) + text for text in texts]


def feature_field(view: str, feature: str) -> bytes:
    """The hash field of a feature: MurmurHash3 of its full name, little-endian."""
    return struct.pack("<I", mmh3.hash(f"{view}:{feature}", signed=False))


def timestamp_field(view: str) -> bytes:
    """The hash field with the event time of a view's row."""
    return f"_ts:{view}".encode()
