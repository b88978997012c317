"""Predictions and labels that are kept for each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from services.monitor.domain.label import KeptLabel, LabelTally
from services.monitor.domain.performance import Sums, WindowKey
from services.monitor.domain.prediction import Prediction


class Joins(Protocol):
    """Predictions and labels that are kept for each other, and what they add up to."""

    async def predictions(self, endpoint: str, ids: Sequence[str]) -> Sequence[Prediction]:
        """What is kept under these ids, every arm's, in no order."""
        ...

    async def labels(self, endpoint: str, ids: Sequence[str]) -> Mapping[str, KeptLabel]:
        """The labels that hold, of those of the ids that have one."""
        ...

    async def keep_predictions(self, rows: Sequence[Prediction], now: datetime) -> None:
        """Keep rows; none of them is kept already."""
        ...

    async def keep_labels(self, endpoint: str, labels: Mapping[str, KeptLabel], now: datetime) -> None:
        """Keep labels by prediction id, in the place of those that were; a label's age counts from its first one."""
        ...

    async def add_sums(self, sums: Mapping[WindowKey, Sums]) -> None:
        """Add to performance windows."""
        ...

    async def add_tally(self, endpoint: str, tally: LabelTally) -> None:
        """Add to what became of an endpoint's labels."""
        ...

    async def prune(self, before: datetime) -> Mapping[str, int]:
        """Drop predictions kept before then, and labels kept before then that have no prediction left.

        How many of the labels never found one, by endpoint.
        """
        ...
