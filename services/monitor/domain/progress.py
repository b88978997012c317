"""How far the monitor has come with an endpoint, in event time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """The latest event times of predictions and labels, and the end of the last window that was judged; None: none."""

    predictions_us: int | None = None
    labels_us: int | None = None
    judged_us: int | None = None

    def seen(self, predictions: Iterable[int], labels: Iterable[int]) -> Progress:
        """With more event times of predictions and of labels."""
        return Progress(_latest(self.predictions_us, predictions), _latest(self.labels_us, labels), self.judged_us)

    @property
    def both_us(self) -> int | None:
        """The moment that predictions and labels both have reached; None while one has none.

        One that is far ahead of its time, such as a question without an event time in a replay, moves nothing alone.
        """
        if self.predictions_us is None or self.labels_us is None:
            return None
        return min(self.predictions_us, self.labels_us)


def _latest(known: int | None, more: Iterable[int]) -> int | None:
    newest = max(more, default=None)
    if known is None or newest is None:
        return newest if known is None else known
    return max(known, newest)
