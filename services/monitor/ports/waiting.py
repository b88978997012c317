"""Features that wait for the bins to count them on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from services.monitor.domain.batch import Batch


class Waiting(Protocol):
    """Answered batches of versions that the registry said nothing of yet: when they were asked, and their features."""

    async def keep(self, batches: Sequence[Batch], window_us: int, now: datetime) -> None:
        """Keep batches, to be counted in windows ``window_us`` microseconds wide."""
        ...

    async def known(self, limit: int) -> Mapping[int, Sequence[Batch]]:
        """Up to ``limit`` batches of one version that has its baseline by now, by the width of their windows.

        They have neither ids nor scores: those were joined when the batches came. Empty when none is left.
        """
        ...

    async def drop(self, event_ids: Sequence[str]) -> None:
        """Forget these batches."""
        ...

    async def unsettled(self, endpoint: str) -> frozenset[tuple[str, int]]:
        """Model and version of those of an endpoint that have their baseline, and batches that are still to count."""
        ...

    async def prune(self, before: datetime) -> Mapping[tuple[str, int], int]:
        """Drop batches that were kept before then and whose version has no baseline; how many, by model and version."""
        ...
