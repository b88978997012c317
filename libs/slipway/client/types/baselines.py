"""What the data that trained a version looked like."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class FeatureBaseline:
    """One feature in the training data, by the name of the signature's input.

    A number has ``edges``, rising: bin n holds edges[n-1] <= value < edges[n]. A text has ``categories``: each its own
    bin, and the last bin holds all others. ``counts`` are the rows in each bin, one more than edges or categories.
    ``spread`` is the distance that a block of training time keeps from the others, None with fewer than 3 blocks.
    ``minimum`` and ``maximum`` are the values of a number that are valid at all, as its author says, None for any: a
    gateway refuses rows beyond. They may stand without bins, and of a column of vectors they do.
    ``typical`` is the registry's to say, to gateways alone: the middle of training rows, or a text's most frequent.
    """

    name: str
    importance: float = 0.0
    edges: tuple[float, ...] = ()
    categories: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    null_count: int = 0
    spread: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    typical: float | str | None = None


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
    """What serving is held against; ``block`` is the stretch of event time that the spreads compare."""

    features: tuple[FeatureBaseline, ...] = ()
    performance: PerformanceBaseline | None = None
    block: timedelta | None = None
    row_count: int = 0
