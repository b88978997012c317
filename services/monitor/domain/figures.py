"""The figures that a window's sums come to."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.monitor.domain.performance import BINS, UNIT, Sums, WindowKey

_CALIBRATION_BINS = 16


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Predictions with scores from ``lower`` to below ``upper``; ``mean_score`` is from the middles of fine bins."""

    lower: float
    upper: float
    predictions: int
    mean_score: float
    positive_rate: float


@dataclass(frozen=True, slots=True)
class PerformanceWindow:
    """A window and its sums; None where there is nothing to take a figure of."""

    key: WindowKey
    sums: Sums

    @property
    def negatives(self) -> list[int]:
        """Classified predictions with label 0 by bin."""
        return [self.sums.bins.get(at, 0) for at in range(BINS)]

    @property
    def positives(self) -> list[int]:
        """Classified predictions with label 1 by bin."""
        return [self.sums.bins.get(at, 0) for at in range(BINS, 2 * BINS)]

    @property
    def classified(self) -> int:
        """Predictions with a score from 0 to 1 and a label that is 0 or 1."""
        return sum(self.sums.bins.values())

    @property
    def auc(self) -> float | None:
        """Area under the ROC curve; scores of one bin count as equal."""
        return auc(self.negatives, self.positives)

    @property
    def log_loss(self) -> float | None:
        """Mean, in nats."""
        return _mean(self.sums.log_loss, self.classified)

    @property
    def brier(self) -> float | None:
        """Mean."""
        return _mean(self.sums.brier, self.classified)

    @property
    def mean_absolute_error(self) -> float | None:
        """Mean, in the label's unit."""
        return _mean(self.sums.absolute, self.sums.measured)

    @property
    def root_mean_squared_error(self) -> float | None:
        """Root of the mean, in the label's unit."""
        squared = _mean(self.sums.squared, self.sums.measured)
        return None if squared is None else math.sqrt(squared)

    @property
    def mean_label_delay_s(self) -> float | None:
        """Seconds from a prediction's event time to its label's."""
        return self.sums.delay_us / self.sums.joined / 1e6 if self.sums.joined else None

    @property
    def calibration(self) -> list[CalibrationBin]:
        """Bins that hold anything, the lowest first."""
        return list(_calibration(self.negatives, self.positives))


def auc(negatives: Sequence[int], positives: Sequence[int]) -> float | None:
    """The chance that a positive scores above a negative, equals counting half; None unless both are there."""
    below = wins = 0
    for negative, positive in zip(negatives, positives, strict=True):
        wins += positive * (2 * below + negative)
        below += negative
    pairs = below * sum(positives)
    return wins / (2 * pairs) if pairs else None


def auc_of(bins: Mapping[int, int]) -> float | None:
    """As auc, of bins as ``Sums`` has them."""
    return auc([bins.get(at, 0) for at in range(BINS)], [bins.get(at, 0) for at in range(BINS, 2 * BINS)])


def _calibration(negatives: Sequence[int], positives: Sequence[int]) -> Iterator[CalibrationBin]:
    width = BINS // _CALIBRATION_BINS
    for first in range(0, BINS, width):
        inside = range(first, first + width)
        rows = [negatives[at] + positives[at] for at in inside]
        if count := sum(rows):
            middles = sum(n * (at + 0.5) / BINS for n, at in zip(rows, inside, strict=True))
            rate = sum(positives[at] for at in inside) / count
            yield CalibrationBin(first / BINS, (first + width) / BINS, count, middles / count, rate)


def _mean(total: int, count: int) -> float | None:
    return total / count / UNIT if count else None
