"""Two versions on the same labelled predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_CLIP = 1e-15


@dataclass(frozen=True, slots=True)
class Scored:
    """The scores that both gave one prediction, and what was true."""

    score: float
    other_score: float
    value: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Figures of both on ``labels`` predictions; None where there is nothing to take one of."""

    labels: int = 0
    auc: float | None = None
    other_auc: float | None = None
    log_loss: float | None = None
    other_log_loss: float | None = None


def compare(rows: Sequence[Scored]) -> Comparison:
    """The figures, over the rows of classes: labels of 0 or 1, and both scores from 0 to 1."""
    if not rows:
        return Comparison()
    one, other, value = np.array([(row.score, row.other_score, row.value) for row in rows], dtype=np.float64).T
    classes = ((value == 0) | (value == 1)) & (one >= 0) & (one <= 1) & (other >= 0) & (other <= 1)
    if not classes.any():
        return Comparison(len(rows))
    one, other, value = one[classes], other[classes], value[classes]
    return Comparison(len(rows), _auc(one, value), _auc(other, value), _log_loss(one, value), _log_loss(other, value))


def _log_loss(score: npt.NDArray[np.float64], value: npt.NDArray[np.float64]) -> float:
    return float(-np.log(np.clip(np.where(value == 1, score, 1 - score), _CLIP, 1)).mean())


def _auc(score: npt.NDArray[np.float64], value: npt.NDArray[np.float64]) -> float | None:
    """The chance that a positive scores above a negative, equals counting half; None unless both are there."""
    positives = int(value.sum())
    negatives = value.size - positives
    if not positives or not negatives:
        return None
    _, inverse, counts = np.unique(score, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    won = float(ranks[inverse][value == 1].sum()) - positives * (positives + 1) / 2
    return won / (positives * negatives)
