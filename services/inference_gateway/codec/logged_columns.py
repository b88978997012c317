"""The log's columns of numbers as bytes: what would be a message, a list and an object a value is one copy.

A field of a message may be written by hand beside what protobuf writes of the others, in any order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from services.inference_gateway.domain.columns import Array, gaps, width
from services.inference_gateway.domain.finite import all_finite
from services.inference_gateway.domain.packed import doubles, head, little_endian, packed, varint
from slipway.gen.slipway.inference.v1 import events_pb2, resources_pb2

_SINGLE = 4  # bytes
_MOST_SIGNED = 2**63 - 1
_FEATURES, _OUTPUTS = 10, 11  # fields of a PredictionBatch
_DOUBLES, _WIDTH_OF_COLUMN, _FLOATS = 2, 7, 8  # of a Column
_WIDTH_OF_OUTPUT, _VALUES = 2, 3  # of an OutputColumn


def feature_fields(features: Mapping[str, Array]) -> list[bytes]:
    """Every feature as the model saw it, a field of a ``PredictionBatch`` each, in order; in pieces."""
    scalars = [array for array in features.values() if array.ndim == 1 and array.dtype.kind == "f"]
    known = _elements(scalars) if scalars else None
    if known is not None and len(scalars) == len(features):
        return _alike(tuple(features), known)
    fields: list[bytes] = []
    at = 0
    for name, array in features.items():
        if array.dtype.kind != "f" or (known is None and array.ndim == 1):
            _add_message(fields, name, array, gaps(array))
        elif array.ndim == 1 and known is not None:
            size = len(array) * 8
            fields += (_column_head(name, _DOUBLES, 0, size), known[at : at + size])
            at += size
        elif array.dtype.itemsize <= _SINGLE and all_finite(array):
            data = little_endian(array.astype(np.float32, copy=False))
            fields += (_column_head(name, _FLOATS, width(array), len(data)), data)
        else:
            _add_message(fields, name, array, gaps(array))
    return fields


def _alike(names: tuple[str, ...], elements: bytes) -> list[bytes]:
    """Fields of columns of scalars, whose elements lie one after the other."""
    fields: list[bytes] = []
    at, size = 0, len(elements) // len(names)
    for before in _column_heads(names, size):
        fields += (before, elements[at : at + size])
        at += size
    return fields


@lru_cache(maxsize=256)
def _column_heads(names: tuple[str, ...], size: int) -> tuple[bytes, ...]:
    return tuple([_column_head(name, _DOUBLES, 0, size) for name in names])


@lru_cache(maxsize=4096)
def _column_head(name: str, values: int, wide: int, size: int) -> bytes:
    """What stands before a column's ``size`` bytes of numbers; ``values`` is their field's number."""
    inner = head(1, size)
    before = _named(name) + _sized(_WIDTH_OF_COLUMN, wide) + head(values, len(inner) + size) + inner
    return head(_FEATURES, len(before) + size) + before


def _add_message(fields: list[bytes], name: str, array: Array, absent: Sequence[int]) -> None:
    message = resources_pb2.Column(name=name)
    fill(message, array, absent)
    column = message.SerializeToString()
    fields += (head(_FEATURES, len(column)), column)


def output_fields(outputs: Mapping[str, Array]) -> list[bytes]:
    """What the model said, a field of a ``PredictionBatch`` each, in order; in pieces."""
    fields: list[bytes] = []
    for name, array in outputs.items():
        if array.dtype.kind in "OUS":
            texts = [str(value) for value in array.ravel().tolist()]
            column = events_pb2.OutputColumn(name=name, width=width(array), texts=texts).SerializeToString()
            fields += (head(_OUTPUTS, len(column)), column)
        else:
            data = doubles(array)
            fields += (_output_head(name, width(array), len(data)), data)
    return fields


@lru_cache(maxsize=4096)
def _output_head(name: str, wide: int, size: int) -> bytes:
    before = _named(name) + _sized(_WIDTH_OF_OUTPUT, wide) + head(_VALUES, size)
    return head(_OUTPUTS, len(before) + size) + before


def fill(column: resources_pb2.Column, array: Array, absent: Sequence[int]) -> None:
    """Put an array [rows, …] into a column."""
    column.absent_rows.extend(absent)
    if array.ndim > 1:
        column.width = width(array)
    match array.dtype.kind:
        case "f" if array.ndim > 1 and array.dtype.itemsize <= _SINGLE:
            # A vector of single precision is logged as one: an event has room for an image of floats, not of doubles.
            column.floats.MergeFromString(packed(array.astype(np.float32, copy=False)))
        case "f":
            data = doubles(array)
            column.doubles.MergeFromString(head(1, len(data)) + data if data else b"")
        case "u" if array.size and int(array.max()) > _MOST_SIGNED:
            column.uint64s.values.extend(array.ravel().tolist())
        case "i" | "u":
            column.int64s.values.extend(array.ravel().tolist())
        case "b":
            column.bools.values.extend(array.ravel().tolist())
        case _:
            column.strings.values.extend(array.ravel().tolist())


def _elements(scalars: Sequence[Array]) -> bytes | None:
    """What these columns hold, one after the other, as doubles; None when some is absent, which is told by column."""
    block = scalars[0] if len(scalars) == 1 else np.concatenate(scalars)
    return doubles(block) if all_finite(block) else None


def _named(name: str) -> bytes:
    data = name.encode()
    return head(1, len(data)) + data


def _sized(field: int, wide: int) -> bytes:
    return varint(field << 3) + varint(wide) if wide else b""
