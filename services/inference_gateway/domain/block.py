"""Many columns in one array."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from services.inference_gateway.domain.columns import Array, Column, ValueKind
from services.inference_gateway.domain.lazy import Lazy


class Block(Lazy[Column]):
    """Columns of one kind and type without gaps, one number a row: ``values`` [columns, rows].

    What is done with all of them together needs no column; the columns are made when somebody looks at one.
    """

    __slots__ = ("_columns", "kind", "names", "values")

    def __init__(self, names: Sequence[str], kind: ValueKind, values: Array) -> None:
        self.names = names
        self.kind = kind
        self.values = values
        self._columns: tuple[Column, ...] = ()

    @property
    def rows(self) -> int:
        """The rows of each column."""
        return int(self.values.shape[1])

    def __len__(self) -> int:
        return len(self.names)

    def _made(self) -> tuple[Column, ...]:
        if not self._columns:
            kind = self.kind
            self._columns = tuple([Column(name, kind, one) for name, one in zip(self.names, self.values, strict=True)])
        return self._columns


def taken(columns: Sequence[Column], rows: Array) -> Sequence[Column]:
    """Some rows (indices, ascending) of each column."""
    if isinstance(columns, Block):
        return Block(columns.names, columns.kind, columns.values[:, rows])
    return tuple([column.take(rows) for column in columns])


def joined(blocks: Sequence[Block]) -> Block:
    """The rows of blocks of the same columns, one after the other."""
    first = blocks[0]
    return Block(first.names, first.kind, np.concatenate([one.values for one in blocks], axis=1))


def first_rows(columns: Sequence[Column]) -> int:
    """How many rows the first one has."""
    return columns.rows if isinstance(columns, Block) else len(columns[0].values)
