"""What the data that trained a version looked like."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from services.monitor.domain.columns import Column
from slipway.drift import chance, histogram, jensen_shannon
from slipway.errors import invalid_field


@dataclass(frozen=True, slots=True)
class FeatureBaseline:
    """One feature: its bins by inner ``edges`` of a number or by ``categories`` of a text, and rows in each.

    ``spread`` is the distance that a block of training time keeps from the others; None when nobody could tell.
    """

    name: str
    importance: float
    edges: tuple[float, ...]
    categories: tuple[str, ...]
    counts: tuple[int, ...]
    null_count: int
    spread: float | None

    @property
    def width(self) -> int:
        """Its bins, and one for rows without a value."""
        return len(self.counts) + 1

    @property
    def null_rate(self) -> float:
        """The share of its rows without a value."""
        rows = sum(self.counts) + self.null_count
        return self.null_count / rows if rows else 0.0

    def histogram(self, column: Column | None, rows: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """How many values fall into each bin, the missing last; of a column that is not there, all are missing."""
        if column is not None and column.is_text and not self.edges:
            return histogram(column.values, categories=self.categories)
        if column is not None and not column.is_text and not self.categories:
            return histogram(column.values, edges=self.edges)
        counts = np.zeros(self.width, dtype=np.int64)
        counts[-1] = rows
        return counts

    def distance(self, counts: tuple[int, ...]) -> float | None:
        """How far a window's rows by bin are from its own; None without rows."""
        return jensen_shannon(counts, (*self.counts, self.null_count)) if sum(counts) else None

    def threshold(self, rows: int, floor: float) -> float | None:
        """The distance above which a window of so many rows has drifted; None without a spread."""
        if self.spread is None:
            return None
        filled = sum(count > 0 for count in (*self.counts, self.null_count))
        return max(self.spread, floor, chance(rows, filled, sum(self.counts) + self.null_count))


@dataclass(frozen=True, slots=True)
class PerformanceBaseline:
    """How the version did on rows that it was not trained on, and how far a block of time is worse than the others."""

    auc: float | None = None
    auc_spread: float | None = None
    log_loss: float | None = None
    log_loss_spread: float | None = None


@dataclass(frozen=True, slots=True)
class Baseline:
    """A version's baseline; without features and figures when it was registered without."""

    model: str
    version: int
    features: tuple[FeatureBaseline, ...] = ()
    performance: PerformanceBaseline = PerformanceBaseline()

    @property
    def width(self) -> int:
        """Entries of the histograms of all features, one behind the other."""
        return sum(feature.width for feature in self.features)

    def split(self, counts: tuple[int, ...]) -> Iterator[tuple[FeatureBaseline, tuple[int, ...]]]:
        """Each feature with its part of ``counts``."""
        at = 0
        for feature in self.features:
            yield feature, counts[at : at + feature.width]
            at += feature.width

    def check(self) -> Baseline:
        """Itself. Raises InvalidInput naming a feature that windows can't be held against."""
        for feature in self.features:
            field = f"baseline.features[{feature.name}]"
            if feature.edges and feature.categories:
                raise invalid_field(field, "has edges and categories; give one of them")
            bins = len(feature.edges or feature.categories) + 1
            if len(feature.counts) != bins:
                raise invalid_field(
                    f"{field}.counts", f"has {len(feature.counts)} entries for {bins} bins; give one each"
                )
            if not np.all(np.diff(feature.edges) > 0):  # not so of NaN
                raise invalid_field(f"{field}.edges", "do not rise; give them in order, each once")
        return self
