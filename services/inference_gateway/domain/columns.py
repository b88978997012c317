"""Columns of values with absence: what requests carry and the log keeps."""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from services.inference_gateway.domain.row_bytes import row_bytes

Array = npt.NDArray[Any]


class ValueKind(enum.Enum):
    """The types that a request's column may have."""

    DOUBLE = "numbers"
    INT64 = "whole numbers"
    STRING = "texts"
    BOOL = "truth values"

    __hash__ = object.__hash__  # there is one of each; an enumeration's own costs a call


_DTYPES = {ValueKind.DOUBLE: np.float64, ValueKind.INT64: np.int64, ValueKind.STRING: object, ValueKind.BOOL: np.bool_}


@dataclass(slots=True)
class Column:
    """One name's values, a row each: [rows], or [rows, …] for vectors, of their shape or flattened.

    ``absent`` lists the rows that have none, in order. The array may be a request's own bytes: nobody writes to it, and
    nobody changes a column. It is not frozen, for then each of its fields would cost a call, in every request.
    """

    name: str
    kind: ValueKind
    values: Array
    absent: Sequence[int] = ()

    @classmethod
    def of(cls, name: str, kind: ValueKind, values: Sequence[Any], absent: Sequence[int] = ()) -> Column:
        """A column from plain values."""
        return cls(name, kind, np.array(values, dtype=_DTYPES[kind]), absent)

    @property
    def width(self) -> int:
        """Values a row."""
        return width(self.values)

    def take(self, rows: Array) -> Column:
        """The column of ``rows`` (indices, ascending) alone."""
        gone = set(self.absent)
        absent = [place for place, row in enumerate(rows.tolist()) if row in gone] if gone else ()
        return Column(self.name, self.kind, self.values[rows], absent)

    def encoded_rows(self) -> Sequence[bytes]:
        """Each row's value as bytes, empty where it is absent.

        Two values have the same bytes when they mean the same: 1 and 1.0 do, NaN is absence, and so is a vector of
        nothing else; a vector is the same however it is shaped, and one of one value is that value. So a row has the
        same bytes alone and within a batch, whose other rows may give the column another kind.
        """
        encoded = row_bytes(self.values.reshape(len(self.values), self.width))
        for row in self.absent:
            encoded[row] = b""
        return encoded


def width(array: Array) -> int:
    """Values a row of an array [rows, …]."""
    return math.prod(array.shape[1:])


def rows_where(mask: Array) -> list[int]:
    """The rows of a mask [rows, …] that hold a true one."""
    rows: list[int] = np.flatnonzero(mask if mask.ndim == 1 else mask.reshape(len(mask), -1).any(axis=1)).tolist()
    return rows


def gaps(array: Array) -> list[int]:
    """The rows of an array [rows, …] that say nothing: floats that are all NaN."""
    if array.dtype.kind != "f":
        return []
    absent = np.isnan(array)
    rows: list[int] = np.flatnonzero(
        absent if array.ndim == 1 else absent.reshape(len(array), width(array)).all(axis=1)
    ).tolist()
    return rows
