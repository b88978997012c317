"""Predictions as they wait for their labels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from services.monitor.domain.batch import Arm, Batch
from services.monitor.domain.label import LARGEST_VALUE, Label
from services.monitor.domain.performance import Pair, WindowKey


@dataclass(frozen=True, slots=True)
class Prediction:
    """What ``arm`` answered under an id. ``score`` is None when it gave no number.

    It counts in a window ``window_us`` microseconds wide, and keeps to it when the configuration changes.
    """

    prediction_id: str
    arm: Arm
    event_us: int
    score: float | None
    window_us: int

    @property
    def key(self) -> WindowKey:
        """The window that it counts in; windows start at 1970."""
        start_us = self.event_us // self.window_us * self.window_us
        return WindowKey(self.arm, start_us, start_us + self.window_us)

    def with_label(self, label: Label) -> Pair:
        """Itself and what came of it."""
        return Pair(self.score, self.event_us, label)


def predictions_of(batches: Iterable[Batch], window_us: int) -> Iterator[Prediction]:
    """Every row of ``batches``."""
    for batch in batches:
        scores = batch.scores or [math.nan] * len(batch.prediction_ids)
        for prediction_id, event_us, score in zip(batch.prediction_ids, batch.event_times_us, scores, strict=True):
            told = score if abs(score) <= LARGEST_VALUE else None  # not so of NaN
            yield Prediction(prediction_id, batch.arm, event_us, told, window_us)


def unseen(rows: Iterable[Prediction], known: Iterable[Prediction]) -> list[Prediction]:
    """The first of ``rows`` of each id and arm, without those that are ``known``."""
    seen = {(one.prediction_id, one.arm) for one in known}
    fresh: list[Prediction] = []
    for row in rows:
        if (identity := (row.prediction_id, row.arm)) not in seen:
            seen.add(identity)
            fresh.append(row)
    return fresh
