"""How scores did on flights whose outcome is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from slipway.errors import invalid_field

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Bin:
    """Flights of like score: their count, their mean score, and how many of them were late (0 to 1)."""

    rows: int
    mean_score: float
    late_rate: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How scores did on labelled flights. ``coverage`` is labelled rows among all (0 to 1).

    ``baseline_log_loss`` and ``baseline_brier`` are those of one rate, said of every flight. ``calibration`` has ten
    bins of like size by rising score.
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

    def metrics(self) -> dict[str, float]:
        """The figures that a version is registered with."""
        names = ("auc", "log_loss", "baseline_log_loss", "brier", "baseline_brier", "late_rate", "coverage")
        told = {name: float(getattr(self, name)) for name in names} | {"evaluation_rows": float(self.labelled_rows)}
        return {name: value for name, value in told.items() if np.isfinite(value)}


def judge(scores: npt.NDArray[Any], late: npt.NDArray[Any], baseline_rate: float) -> Evaluation:
    """Hold ``scores`` against ``late`` (1 or 0, NaN where nobody knows). Fails with InvalidInput without a label."""
    known = ~np.isnan(np.asarray(late, dtype=np.float64))
    if not known.any():
        raise invalid_field("rows", "none is labelled; give flights that have arrived")
    told, true = np.asarray(scores, dtype=np.float64)[known], np.asarray(late, dtype=np.float64)[known]
    constant = np.full_like(true, baseline_rate)
    return Evaluation(
        rows=len(known),
        labelled_rows=len(true),
        coverage=len(true) / len(known),
        late_rate=float(true.mean()),
        auc=auc(told, true),
        log_loss=log_loss(told, true),
        brier=float(np.mean((told - true) ** 2)),
        baseline_log_loss=log_loss(constant, true),
        baseline_brier=float(np.mean((constant - true) ** 2)),
        calibration=calibration(told, true),
    )


def auc(scores: Floats, late: Floats) -> float:
    """How often a late flight scores above one that was not; ties count half. NaN when all are of one kind."""
    positives = late.sum()
    pairs = positives * (len(late) - positives)
    ranks = pd.Series(scores).rank().to_numpy()
    return float((ranks[late == 1].sum() - positives * (positives + 1) / 2) / pairs) if pairs else float("nan")


def log_loss(scores: Floats, late: Floats) -> float:
    """Mean negative log-likelihood, in nats."""
    sure = np.clip(scores, 1e-15, 1 - 1e-15)
    return float(-np.mean(late * np.log(sure) + (1 - late) * np.log(1 - sure)))


def calibration(scores: Floats, late: Floats, bins: int = 10) -> tuple[Bin, ...]:
    """Scores against what happened, in bins of like size by rising score."""
    order = np.argsort(scores, kind="stable")
    parts = (part for part in np.array_split(order, bins) if len(part))
    return tuple(Bin(len(part), float(scores[part].mean()), float(late[part].mean())) for part in parts)
