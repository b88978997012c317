"""Columns of the prediction log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Column:
    """A feature's values, one a row: numbers (NaN where there is none), or texts (None where there is none)."""

    values: npt.NDArray[np.float64] | Sequence[str | None]

    @property
    def is_text(self) -> bool:
        """Whether it holds texts."""
        return not isinstance(self.values, np.ndarray)

    def rows(self, places: npt.NDArray[np.intp]) -> Column:
        """The values at these rows."""
        if isinstance(self.values, np.ndarray):
            return Column(self.values[places])
        return Column([self.values[at] for at in places.tolist()])


def joined(parts: Sequence[tuple[Column | None, int]], *, text: bool) -> Column:
    """One column of the parts, each with its number of rows; of a part that is no such column, all are missing."""
    if text:
        texts: list[str | None] = []
        for column, rows in parts:
            texts += column.values if column is not None and column.is_text else [None] * rows
        return Column(texts)
    numbers = [
        column.values if column is not None and isinstance(column.values, np.ndarray) else np.full(rows, np.nan)
        for column, rows in parts
    ]
    return Column(np.concatenate(numbers))
