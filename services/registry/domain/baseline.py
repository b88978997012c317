"""What the data that trained a version looked like."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

_LONGEST_TYPICAL = 256


@dataclass(frozen=True, slots=True)
class FeatureBaseline:
    """One feature: its bins by ``edges`` (numbers) or ``categories`` (texts), and the rows in each; or no bins at all.

    ``spread`` is the distance that a block of training time keeps from the others; None when nobody could tell.
    ``minimum`` and ``maximum`` are the values that are valid at all; None for any.
    """

    name: str
    importance: float
    edges: tuple[float, ...]
    categories: tuple[str, ...]
    counts: tuple[int, ...]
    null_count: int
    spread: float | None = None
    minimum: float | None = None
    maximum: float | None = None

    @property
    def typical(self) -> float | str | None:
        """What training rows had: the middle of the median's bin, or the most frequent text; None: nobody knows."""
        if self.categories:
            most = max(range(len(self.categories)), key=lambda place: self.counts[place])
            text = self.categories[most]
            # What the last bin holds has no name, and a long text no place in a message with all versions.
            return text if self.counts[most] and len(text) <= _LONGEST_TYPICAL else None
        if not self.edges or not sum(self.counts):
            return None
        upto = accumulate(self.counts)
        median = next(place for place, count in enumerate(upto) if 2 * count >= sum(self.counts))
        lower, upper = max(median - 1, 0), min(median, len(self.edges) - 1)
        return self.edges[lower] + (self.edges[upper] - self.edges[lower]) / 2

    @property
    def bounded(self) -> bool:
        """Whether it says which values are valid."""
        return self.minimum is not None or self.maximum is not None


@dataclass(frozen=True, slots=True)
class PerformanceBaseline:
    """How a version did on rows that it was not trained on, and how far a block of them falls short of it."""

    auc: float | None = None
    auc_spread: float | None = None
    log_loss: float | None = None
    log_loss_spread: float | None = None
    row_count: int = 0


@dataclass(frozen=True, slots=True)
class Baseline:
    """All of it; ``block_us`` is the width of the blocks that the spreads compare, in microseconds of event time."""

    features: tuple[FeatureBaseline, ...]
    performance: PerformanceBaseline | None
    block_us: int
    row_count: int

    @property
    def carried_bytes(self) -> int:
        """About how many bytes a message carries it in; never fewer."""
        return 200 + sum(
            9 * len(one.edges)
            + 10 * len(one.counts)
            + sum(4 * len(text) + 6 for text in (one.name, *one.categories))
            + 68
            for one in self.features
        )
