"""Bins of a feature's values, and how many rows fall into each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from slipway.errors import invalid_field

Counts = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]
# Models see single precision where the training data had double: a value that many rows share may be off by as much.
_NARROW = 1e-6


def histogram(
    values: Sequence[Any] | npt.NDArray[Any],
    *,
    edges: Sequence[float] | Numbers | None = None,
    categories: Sequence[str] | None = None,
) -> Counts:
    """Rows in each bin, and last those without a value (None or NaN): one more entry than there are bins.

    Of numbers: bin n holds ``edges[n-1] <= value < edges[n]``. Of texts: bin n holds ``categories[n]``, the last all
    others. Raises InvalidInput unless one of the two is given.
    """
    if (edges is None) == (categories is None):
        raise invalid_field("edges", "and categories are both given or both missing; give one of them")
    if categories is not None:
        return _of_texts(values, categories)
    numbers = as_numbers(values)
    inner = np.asarray(edges, dtype=np.float64)
    known = ~np.isnan(numbers)
    places = np.searchsorted(inner, numbers[known], side="right")
    counts = np.bincount(places, minlength=inner.size + 2)
    counts[inner.size + 1] = numbers.size - places.size
    return counts.astype(np.int64, copy=False)


def _of_texts(values: Sequence[Any] | npt.NDArray[Any], categories: Sequence[str]) -> Counts:
    places = {category: place for place, category in enumerate(categories)}
    other, null = len(places), len(places) + 1
    counts = np.zeros(null + 1, dtype=np.int64)
    # NaN is how a table of texts tells that there is none.
    for value, rows in Counter("" if _absent(value) else value for value in values).items():
        counts[null if value == "" else places.get(value, other)] += rows
    return counts


def _absent(value: Any) -> bool:
    return value is None or value != value  # noqa: PLR0124  (NaN alone differs from itself)


def as_numbers(values: Sequence[Any] | npt.NDArray[Any]) -> Numbers:
    """Values as floats; None becomes NaN."""
    return np.asarray(values, dtype=np.float64)


def edges_of(values: Sequence[float] | Numbers, bins: int = 20) -> Numbers:
    """Inner edges of about ``bins`` bins that hold alike many of ``values``; NaN is left out.

    An edge lies between two values, never on one, so that a value which many rows share stays in its bin when it comes
    back in single precision. A single value gets a bin to itself, with one below and one above.
    """
    known = as_numbers(values)
    known = known[np.isfinite(known)]
    if known.size == 0:
        return np.zeros(0)
    distinct = np.unique(known)
    if distinct.size == 1:
        reach = max(abs(float(distinct[0])), 1.0) * _NARROW
        return np.array([distinct[0] - reach, distinct[0] + reach])
    cuts = np.quantile(known, np.arange(1, bins) / bins, method="lower")
    places = np.unique(np.searchsorted(distinct, cuts))
    places = places[places > 0] if places[-1] > 0 else np.array([1])
    below, above = distinct[places - 1], distinct[places]
    return np.unique(below + (above - below) / 2)


def likely_categories(values: Sequence[Any] | npt.NDArray[Any], bins: int = 20) -> tuple[str, ...]:
    """The ``bins`` most frequent texts, the most frequent first; equals in their own order."""
    counted = Counter(str(value) for value in values if not _absent(value) and value != "")
    ranked = sorted(counted.items(), key=lambda one: (-one[1], one[0]))
    return tuple(value for value, _ in ranked[:bins])
