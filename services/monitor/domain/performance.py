"""How predictions did against their labels: exact sums that add up in any order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from services.monitor.domain.batch import Arm
from services.monitor.domain.label import LARGEST_VALUE, Label

BINS = 512
_CLIP = 1e-15
# Sums are whole billionths of a unit. A float sum would depend on the order of arrival, and a correction could not
# take a value out of it without leaving a rest.
UNIT = 1e9
_INT64 = 2.0**62


@dataclass(frozen=True, slots=True)
class WindowKey:
    """What ``arm`` answered from ``start_us`` to before ``end_us``, microseconds of event time since 1970."""

    arm: Arm
    start_us: int
    end_us: int


@dataclass(frozen=True, slots=True)
class Sums:
    """What is added up over a window.

    ``bins`` counts classified predictions by score: 0 to 511 with label 0, 512 to 1023 with label 1. Log loss, Brier,
    absolute and squared errors are in billionths. ``newest_label_us`` is the latest label time; None when none.
    """

    predictions: int = 0
    joined: int = 0
    delay_us: int = 0
    newest_label_us: int | None = None
    log_loss: int = 0
    brier: int = 0
    measured: int = 0
    absolute: int = 0
    squared: int = 0
    bins: Mapping[int, int] = field(default_factory=dict)

    def __add__(self, other: Sums) -> Sums:
        known = [one for one in (self.newest_label_us, other.newest_label_us) if one is not None]
        bins = {at: self.bins.get(at, 0) + other.bins.get(at, 0) for at in self.bins.keys() | other.bins.keys()}
        return Sums(
            self.predictions + other.predictions,
            self.joined + other.joined,
            self.delay_us + other.delay_us,
            max(known, default=None),
            self.log_loss + other.log_loss,
            self.brier + other.brier,
            self.measured + other.measured,
            self.absolute + other.absolute,
            self.squared + other.squared,
            {at: count for at, count in bins.items() if count},
        )

    def __neg__(self) -> Sums:
        """What takes these out again; a label time stays, for the label that replaces another is newer."""
        return Sums(
            -self.predictions,
            -self.joined,
            -self.delay_us,
            None,
            -self.log_loss,
            -self.brier,
            -self.measured,
            -self.absolute,
            -self.squared,
            {at: -count for at, count in self.bins.items()},
        )


@dataclass(frozen=True, slots=True)
class Pair:
    """A prediction's score (None: it has none) and event time, with its label."""

    score: float | None
    event_us: int
    label: Label


def joined_sums(pairs: Sequence[Pair]) -> Sums:
    """The sums of ``pairs``; they do not depend on their order, nor on how they are split up."""
    scores = np.array([np.nan if pair.score is None else pair.score for pair in pairs], dtype=np.float64)
    values = np.array([pair.label.value for pair in pairs], dtype=np.float64)
    measured = np.abs(scores) <= LARGEST_VALUE  # not so of NaN
    errors = np.abs(scores[measured] - values[measured])
    classes = (scores >= 0) & (scores <= 1) & ((values == 0) | (values == 1))
    score, label = scores[classes], values[classes]
    told = np.clip(np.where(label == 1, score, 1 - score), _CLIP, 1)
    at, counts = np.unique(
        np.minimum(score * BINS, BINS - 1).astype(int) + BINS * label.astype(int), return_counts=True
    )
    return Sums(
        predictions=0,
        joined=len(pairs),
        delay_us=sum(pair.label.time_us - pair.event_us for pair in pairs),
        newest_label_us=max((pair.label.time_us for pair in pairs), default=None),
        log_loss=_whole(-np.log(told)),
        brier=_whole((score - label) ** 2),
        measured=int(measured.sum()),
        absolute=_whole(errors),
        squared=_whole(errors**2),
        bins=dict(zip(at.tolist(), counts.tolist(), strict=True)),
    )


def _whole(parts: np.ndarray[tuple[int], np.dtype[np.float64]]) -> int:
    """The sum of non-negative ``parts`` in billionths, each rounded by itself."""
    scaled = np.rint(parts * UNIT)
    if scaled.size == 0 or scaled.max() * scaled.size < _INT64:
        return int(scaled.astype(np.int64).sum())
    return sum(map(int, scaled.tolist()))


class Ledger:
    """Collects what a batch adds to windows, and takes out of them."""

    def __init__(self) -> None:
        self._predictions: defaultdict[WindowKey, int] = defaultdict(int)
        self._added: defaultdict[WindowKey, list[Pair]] = defaultdict(list)
        self._removed: defaultdict[WindowKey, list[Pair]] = defaultdict(list)

    def predicted(self, key: WindowKey) -> None:
        """One more prediction."""
        self._predictions[key] += 1

    def join(self, key: WindowKey, pair: Pair) -> None:
        """A prediction got a label."""
        self._added[key].append(pair)

    def part(self, key: WindowKey, pair: Pair) -> None:
        """The label of a prediction holds no more."""
        self._removed[key].append(pair)

    def sums(self) -> dict[WindowKey, Sums]:
        """What to add to each window."""
        keys = self._predictions.keys() | self._added.keys() | self._removed.keys()
        return {key: self._sums_of(key) for key in keys}

    def _sums_of(self, key: WindowKey) -> Sums:
        made = Sums(predictions=self._predictions.get(key, 0))
        if added := self._added.get(key):
            made += joined_sums(added)
        if removed := self._removed.get(key):
            made += -joined_sums(removed)
        return made
