"""Columns of values with absence: what requests carry and the log keeps."""

from __future__ import annotations

import enum
import math
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


class ValueKind(enum.Enum):
    """The types that a request's column may have."""

    DOUBLE = "numbers"
    INT64 = "whole numbers"
    STRING = "texts"
    BOOL = "truth values"


_DTYPES = {ValueKind.DOUBLE: np.float64, ValueKind.INT64: np.int64, ValueKind.STRING: object, ValueKind.BOOL: np.bool_}


@dataclass(frozen=True, slots=True)
class Column:
    """One name's values, a row each ([rows]); ``absent`` lists the rows that have none, in order."""

    name: str
    kind: ValueKind
    values: Array
    absent: Sequence[int] = ()

    @classmethod
    def of(cls, name: str, kind: ValueKind, values: Sequence[Any], absent: Sequence[int] = ()) -> Column:
        """A column from plain values."""
        return cls(name, kind, np.array(values, dtype=_DTYPES[kind]), absent)

    def take(self, rows: Array) -> Column:
        """The column of ``rows`` (indices, ascending) alone."""
        gone = set(self.absent)
        absent = [place for place, row in enumerate(rows.tolist()) if row in gone] if gone else ()
        return Column(self.name, self.kind, self.values[rows], absent)

    def encoded_rows(self) -> Iterator[bytes]:
        """Each row's value as bytes, empty where it is absent.

        Two values have the same bytes when they mean the same: 1 and 1.0 do, and NaN is absence. So a row has the
        same bytes alone and within a batch, whose other rows may give the column another kind.
        """
        gone = set(self.absent)
        encode = _ENCODERS[self.kind]
        for row, value in enumerate(self.values.tolist()):
            yield b"" if row in gone else encode(value)


def _encode_text(value: str) -> bytes:
    data = value.encode()
    return b"T" + len(data).to_bytes(4, "little") + data


def _encode_number(value: float) -> bytes:
    if math.isnan(value):
        return b""
    return b"N" + _DOUBLE.pack(value or 0.0)  # -0.0 is 0.0


def _encode_whole(value: int) -> bytes:
    if abs(value) <= _EXACT:
        return _encode_number(float(value))
    return b"I" + value.to_bytes(8, "little", signed=True)


_DOUBLE = struct.Struct("<d")
_EXACT = 2**53  # the whole numbers up to here are doubles
_ENCODERS: dict[ValueKind, Callable[[Any], bytes]] = {
    ValueKind.STRING: _encode_text,
    ValueKind.DOUBLE: _encode_number,
    ValueKind.INT64: _encode_whole,
    ValueKind.BOOL: lambda value: b"Y" if value else b"F",
}
