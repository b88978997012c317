"""The baseline of a version's scores."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from slipway.client.types.baselines import PerformanceBaseline
from slipway.drift.blocks import block_numbers
from slipway.drift.features import WEEK
from slipway.drift.spread import LEAST_BLOCKS, QUANTILE, draws
from slipway.errors import invalid_field

# As the monitor has them, so that both sides of a comparison are made alike.
_BINS = 512
_CLIP = 1e-15
Floats = npt.NDArray[np.float64]


def performance_baseline(
    scores: Sequence[float] | npt.NDArray[Any],
    labels: Sequence[float] | npt.NDArray[Any],
    event_times: Sequence[datetime] | npt.NDArray[Any],
    *,
    block: timedelta = WEEK,
    seed: int = 0,
) -> PerformanceBaseline:
    """How a version did on rows that it was not trained on, and how far a block of time falls below the others.

    ``scores`` are probabilities of class 1, ``labels`` 0 or 1. A spread is the 0.99 quantile, by a bootstrap over whole
    blocks, of how far the AUC of a block falls below, or its log loss rises above, that of the others; None with fewer
    than 3 blocks. Raises InvalidInput about ``scores``, ``labels``, ``event_times`` or ``block``.
    """
    score, label = np.asarray(scores, dtype=np.float64), np.asarray(labels, dtype=np.float64)
    if score.shape != label.shape or score.ndim != 1:
        raise invalid_field("labels", f"has {label.size} entries for {score.size} scores; give one each")
    if not ((score >= 0) & (score <= 1)).all():
        raise invalid_field("scores", "are not all from 0 to 1; give probabilities of class 1")
    if not ((label == 0) | (label == 1)).all():
        raise invalid_field("labels", "are not all 0 or 1; drop rows without a label")
    numbers, blocks = block_numbers(event_times, block, score.size)
    if not blocks:
        return PerformanceBaseline(row_count=0)
    counts = _score_counts(score, label, numbers, blocks)
    losses = -np.log(np.clip(np.where(label == 1, score, 1 - score), _CLIP, 1))
    summed = np.bincount(numbers, weights=losses, minlength=blocks)
    rows = np.bincount(numbers, minlength=blocks).astype(np.float64)
    whole = float(_aucs(counts.sum(axis=0)))
    return PerformanceBaseline(
        auc=None if np.isnan(whole) else whole,
        auc_spread=_auc_spread(counts, seed),
        log_loss=float(losses.mean()),
        log_loss_spread=_loss_spread(summed.astype(np.float64), rows, seed),
        row_count=score.size,
    )


def _score_counts(score: Floats, label: Floats, numbers: npt.NDArray[np.intp], blocks: int) -> Floats:
    """Rows by block, label and bin of the score."""
    places = np.minimum(score * _BINS, _BINS - 1).astype(int) + _BINS * label.astype(int)
    flat = np.bincount(numbers * 2 * _BINS + places, minlength=blocks * 2 * _BINS)
    return flat.reshape(blocks, 2, _BINS).astype(np.float64)


def _aucs(counts: Floats) -> Floats:
    """Areas under the ROC curve of counts by label and bin (the last two axes); NaN unless both labels are there."""
    negatives, positives = counts[..., 0, :], counts[..., 1, :]
    below = np.cumsum(negatives, axis=-1) - negatives / 2
    pairs = negatives.sum(axis=-1) * positives.sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(pairs > 0, (positives * below).sum(axis=-1) / pairs, np.nan)


def _auc_spread(counts: Floats, seed: int) -> float | None:
    telling = counts[~np.isnan(_aucs(counts))]
    if len(telling) < LEAST_BLOCKS:
        return None
    chosen, weights = draws(len(telling), seed)
    others = _aucs((weights @ telling.reshape(len(telling), -1)).reshape(-1, 2, _BINS))
    return max(0.0, float(np.quantile(others - _aucs(telling)[chosen], QUANTILE)))


def _loss_spread(summed: Floats, rows: Floats, seed: int) -> float | None:
    if len(rows) < LEAST_BLOCKS:
        return None
    chosen, weights = draws(len(rows), seed)
    others = (weights @ summed) / (weights @ rows)
    return max(0.0, float(np.quantile(summed[chosen] / rows[chosen] - others, QUANTILE)))
