"""Gradient-boosted trees on any table of named columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from examples.flights.columns import Column, encode, learn
from examples.flights.figures import Floats
from slipway.errors import invalid_field

if TYPE_CHECKING:
    import lightgbm

LABEL = "late"
ROUNDS = 120
FOLDS = 4
# Held back on purpose: routes and carriers with few flights are soon learned by heart, and the weather of three months
# is a guide to none of the others. Chosen by the log loss of held-out weeks of January to March.
PARAMETERS: dict[str, str | int | float | bool] = {
    "objective": "binary",
    "learning_rate": 0.05,
    "num_leaves": 31,
    "min_data_in_leaf": 500,
    "lambda_l2": 50.0,
    "cat_smooth": 100.0,
    "cat_l2": 100.0,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "seed": 2013,
    "deterministic": True,
    "force_row_wise": True,
    # More threads give the same trees, and wait for each other where a scheduler shares its cores with others.
    "num_threads": 1,
    "verbosity": -1,
}

Fit = Callable[[pd.DataFrame], Callable[[pd.DataFrame], Floats]]
"""Trains on a table and gives what scores others."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A booster and the columns of its matrix; ``baseline_rate`` is the share of late flights it learned from."""

    booster: lightgbm.Booster
    columns: tuple[Column, ...]
    baseline_rate: float
    training_rows: int


def train(table: pd.DataFrame, categories: Sequence[str], numbers: Sequence[str], rounds: int = ROUNDS) -> Trained:
    """Fit on the rows whose ``late`` is told; the same rows give the same model.

    Fails with InvalidInput unless flights of both kinds are there.
    """
    # It brings scikit-learn and SciPy along: seconds, in each process that runs a step or lists the workflow.
    import lightgbm  # noqa: PLC0415

    labelled = with_both_labels(table)
    columns = learn(labelled, categories, numbers)
    dataset = lightgbm.Dataset(
        encode(labelled, columns),
        label=labelled[LABEL].to_numpy(dtype=np.float64),
        feature_name=[column.name for column in columns],
        categorical_feature=list(categories),
    )
    booster = lightgbm.train(PARAMETERS, dataset, num_boost_round=rounds)
    return Trained(booster, columns, float(labelled[LABEL].mean()), len(labelled))


def with_both_labels(table: pd.DataFrame) -> pd.DataFrame:
    """The labelled rows. Fails with InvalidInput unless flights of both kinds are among them."""
    labelled = table[table[LABEL].notna()]
    if labelled[LABEL].nunique() < 2:
        raise invalid_field("rows", "need labelled flights of both kinds, late and not")
    return labelled


def scores(trained: Trained, table: pd.DataFrame) -> Floats:
    """The booster's own answers, [rows]."""
    return np.asarray(trained.booster.predict(encode(table, trained.columns), num_threads=1), dtype=np.float64)


def importance(trained: Trained) -> dict[str, float]:
    """Each column's share of what the trees' splits gained, 0 to 1."""
    gains = trained.booster.feature_importance("gain")
    total = float(gains.sum())
    shares = gains / total if total else gains
    return {column.name: float(share) for column, share in zip(trained.columns, shares, strict=True)}


def out_of_fold(
    table: pd.DataFrame,
    blocks: npt.NDArray[np.int64],
    fitted: Fit,
    folds: int = FOLDS,
) -> Floats:
    """Scores of every row by a model that saw no row of its block, [rows]; ``fitted`` trains and gives the scorer.

    Blocks are stretches of time, for rows of one storm are alike; they are dealt to the folds in turn. With one block
    nothing is left to learn from: fails with InvalidInput.
    """
    _, numbers = np.unique(blocks, return_inverse=True)
    dealt = numbers % min(folds, int(numbers.max(initial=0)) + 1)
    if not dealt.any():
        raise invalid_field("blocks", "need two or more; give rows of a longer time")
    told = np.empty(len(table), dtype=np.float64)
    for fold in np.unique(dealt):
        told[dealt == fold] = fitted(table[dealt != fold])(table[dealt == fold])
    return told
