"""The classifier: trained on January to mid-March, evaluated on what came after."""

from __future__ import annotations

from dataclasses import dataclass

import lightgbm
import numpy as np
import numpy.typing as npt
import pandas as pd

from examples.flights.columns import Column, encode, learn
from examples.flights.data import flights
from examples.flights.features import CATEGORIES, NUMBERS, features
from slipway.errors import invalid_field

TRAINING_MONTHS = (1, 2, 3)
EVALUATION_FROM = "2013-03-18"
ROUNDS = 100
# Held back on purpose: routes and carriers with few flights are soon learned by heart.
PARAMETERS: dict[str, str | int | float | bool] = {
    "objective": "binary",
    "learning_rate": 0.03,
    "num_leaves": 31,
    "min_data_in_leaf": 500,
    "lambda_l2": 50.0,
    "cat_smooth": 100.0,
    "cat_l2": 100.0,
    "feature_fraction": 0.8,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "seed": 2013,
    "deterministic": True,
    "force_row_wise": True,
    # More threads give the same trees, and wait for each other where a scheduler shares its cores with others.
    "num_threads": 1,
    "verbosity": -1,
}


@dataclass(frozen=True, slots=True)
class Split:
    """Flights by time: those before a date train, the others evaluate. Rows as ``data.flights`` gives them."""

    training: pd.DataFrame
    evaluation: pd.DataFrame


@dataclass(frozen=True, slots=True)
class Trained:
    """A booster and the columns of its matrix; ``baseline_rate`` is the share of late flights it learned from."""

    booster: lightgbm.Booster
    columns: tuple[Column, ...]
    baseline_rate: float
    training_rows: int


@dataclass(frozen=True, slots=True)
class Bin:
    """Flights of like score: their count, their mean score, and how many of them were late (0 to 1)."""

    rows: int
    mean_score: float
    late_rate: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How a model did on labelled flights. ``coverage`` is labelled rows among all (0 to 1).

    ``baseline_log_loss`` and ``baseline_brier`` are those of the training rows' rate, said of every flight.
    ``calibration`` has ten bins of like size by rising score.
    """

    rows: int
    labelled_rows: int
    coverage: float
    late_rate: float
    auc: float
    log_loss: float
    brier: float
    baseline_log_loss: float
    baseline_brier: float
    calibration: tuple[Bin, ...]


def load(evaluation_from: str = EVALUATION_FROM) -> Split:
    """The training months' flights, split at a local ISO date."""
    rows = flights(TRAINING_MONTHS)
    later = rows["date"] >= evaluation_from
    return Split(rows[~later].reset_index(drop=True), rows[later].reset_index(drop=True))


def train(rows: pd.DataFrame, rounds: int = ROUNDS) -> Trained:
    """Fit on the labelled rows; the same rows give the same model. Fails with InvalidInput without labels."""
    labelled = rows[rows["late"].notna()]
    if labelled["late"].nunique() < 2:
        raise invalid_field("rows", "need labelled flights of both kinds, late and not")
    table = features(labelled)
    columns = learn(table, CATEGORIES, NUMBERS)
    dataset = lightgbm.Dataset(
        encode(table, columns),
        label=labelled["late"].to_numpy(),
        feature_name=[column.name for column in columns],
        categorical_feature=list(CATEGORIES),
    )
    booster = lightgbm.train(PARAMETERS, dataset, num_boost_round=rounds)
    return Trained(booster, columns, float(labelled["late"].mean()), len(labelled))


def evaluate(trained: Trained, rows: pd.DataFrame) -> Evaluation:
    """Score the labelled rows with the booster itself. Fails with InvalidInput when no row is labelled."""
    labelled = rows[rows["late"].notna()]
    if labelled.empty:
        raise invalid_field("rows", "none is labelled; give flights that have arrived")
    late = labelled["late"].to_numpy(dtype=np.float64)
    scores = np.asarray(trained.booster.predict(encode(features(labelled), trained.columns)))
    constant = np.full_like(late, trained.baseline_rate)
    return Evaluation(
        rows=len(rows),
        labelled_rows=len(labelled),
        coverage=len(labelled) / len(rows),
        late_rate=float(late.mean()),
        auc=auc(scores, late),
        log_loss=log_loss(scores, late),
        brier=float(np.mean((scores - late) ** 2)),
        baseline_log_loss=log_loss(constant, late),
        baseline_brier=float(np.mean((constant - late) ** 2)),
        calibration=calibration(scores, late),
    )


def auc(scores: npt.NDArray[np.float64], late: npt.NDArray[np.float64]) -> float:
    """How often a late flight scores above one that was not; ties count half. NaN when all are of one kind."""
    positives = late.sum()
    pairs = positives * (len(late) - positives)
    ranks = pd.Series(scores).rank().to_numpy()
    return float((ranks[late == 1].sum() - positives * (positives + 1) / 2) / pairs) if pairs else float("nan")


def log_loss(scores: npt.NDArray[np.float64], late: npt.NDArray[np.float64]) -> float:
    """Mean negative log-likelihood, in nats."""
    sure = np.clip(scores, 1e-15, 1 - 1e-15)
    return float(-np.mean(late * np.log(sure) + (1 - late) * np.log(1 - sure)))


def calibration(scores: npt.NDArray[np.float64], late: npt.NDArray[np.float64], bins: int = 10) -> tuple[Bin, ...]:
    """Scores against what happened, in bins of like size by rising score."""
    order = np.argsort(scores, kind="stable")
    parts = (part for part in np.array_split(order, bins) if len(part))
    return tuple(Bin(len(part), float(scores[part].mean()), float(late[part].mean())) for part in parts)
