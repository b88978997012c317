"""The distance of two histograms, and what of it is chance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

# The standard normal's 0.999 quantile: one window in a thousand reaches chance without a cause.
_NORMAL = 3.0902


def jensen_shannon(p_counts: Sequence[int] | npt.NDArray[Any], q_counts: Sequence[int] | npt.NDArray[Any]) -> float:
    """The Jensen-Shannon distance (the root of the divergence, base 2) of two histograms over the same bins: 0 to 1.

    0 as well when either is empty: nothing was seen to differ.
    """
    return float(distances(np.asarray(p_counts, dtype=np.float64), np.asarray(q_counts, dtype=np.float64)))


def distances(p_counts: npt.NDArray[np.float64], q_counts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """As jensen_shannon, of the last axis."""
    p, q = _shares(p_counts), _shares(q_counts)
    middle = (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = np.where(p > 0, p * np.log2(p / middle), 0) + np.where(q > 0, q * np.log2(q / middle), 0)
    found = np.sqrt(np.clip(parts.sum(axis=-1) / 2, 0, 1))
    either_empty = (p_counts.sum(axis=-1) == 0) | (q_counts.sum(axis=-1) == 0)
    same = (p == q).all(axis=-1)
    return np.where(either_empty | same, 0.0, found)


def _shares(counts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    total = counts.sum(axis=-1, keepdims=True)
    shares: npt.NDArray[np.float64] = np.divide(counts, total, out=np.zeros_like(counts), where=total > 0)
    return shares


def chance(rows: int, bins: int, reference_rows: int | None = None) -> float:
    """The distance that ``rows`` rows over ``bins`` bins keep from the shares they are drawn from, 0.999 quantile.

    ``bins`` are those that hold anything. ``reference_rows`` is how many rows the shares were measured on; None when so
    many that it doesn't matter. 1 without rows.
    """
    if rows <= 0 or reference_rows == 0:
        return 1.0
    free = bins - 1
    if free <= 0:
        return 0.0
    # Near equality the divergence is an eighth of chi-square over n; its quantile by Wilson and Hilferty.
    spread = 2 / (9 * free)
    quantile = free * (1 - spread + _NORMAL * math.sqrt(spread)) ** 3
    share = 1 / rows + (1 / reference_rows if reference_rows else 0)
    return min(1.0, math.sqrt(quantile * share / (8 * math.log(2))))
