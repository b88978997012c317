"""Columns of values with absence: what requests carry and the log keeps."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
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
        """Each row's value as bytes that tell any two different values, and absence, apart."""
        gone = set(self.absent)
        tag = self.kind.name[:1].encode()
        if self.kind is ValueKind.STRING:
            for row, text in enumerate(self.values):
                data = str(text).encode()
                yield b"-" if row in gone else tag + len(data).to_bytes(4, "little") + data
            return
        width = self.values.dtype.itemsize
        raw = self.values.tobytes()
        for row in range(len(self.values)):
            yield b"-" if row in gone else tag + raw[row * width : (row + 1) * width]
