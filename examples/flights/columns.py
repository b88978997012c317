"""The columns of a model: their names, their kinds, and how text becomes numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

UNKNOWN_CODE = 0


@dataclass(frozen=True, slots=True)
class Column:
    """One input of a model: a category if it has a ``vocabulary``, else a number.

    A category's code is its place in the vocabulary, from 1. Code 0 is for missing (None, NaN, empty text) and
    for what the vocabulary lacks: to the model a category it never met is one that was not told.
    A missing number is NaN.
    """

    name: str
    vocabulary: tuple[str, ...] | None = None


def learn(table: pd.DataFrame, categories: Sequence[str], numbers: Sequence[str]) -> tuple[Column, ...]:
    """The columns with the vocabularies of ``table``'s rows, in alphabetical order; categories come first."""
    learned = [Column(name, tuple(sorted(set(table[name].dropna()) - {""}))) for name in categories]
    return (*learned, *(Column(name) for name in numbers))


def encode(table: pd.DataFrame, columns: Sequence[Column]) -> npt.NDArray[np.float32]:
    """The table as the model's matrix, [rows, columns].

    Numbers pass through float32, which is what the exported model is given: a model that is trained on wider
    values splits between numbers that its users cannot tell apart.
    """
    matrix = np.empty((len(table), len(columns)), dtype=np.float32)
    for place, column in enumerate(columns):
        values = table[column.name]
        if column.vocabulary is None:
            matrix[:, place] = values.to_numpy(dtype=np.float32, na_value=np.nan)
        else:
            codes = {text: code for code, text in enumerate(column.vocabulary, start=1)}
            matrix[:, place] = values.map(codes).fillna(UNKNOWN_CODE).to_numpy(dtype=np.float32)
    return matrix
