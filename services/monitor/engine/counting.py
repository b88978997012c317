"""Counting batches, each once."""

from __future__ import annotations

from collections.abc import Sequence

from services.monitor.domain.batch import Batch, tally
from services.monitor.ports import Meters, Windows
from slipway.clock import Clock


class Counting:
    """Adds batches to windows of ``window_s`` seconds."""

    def __init__(self, windows: Windows, clock: Clock, meters: Meters, window_s: int) -> None:
        self._windows = windows
        self._clock = clock
        self._meters = meters
        self._window_us = window_s * 1_000_000

    async def count(self, batches: Sequence[Batch]) -> int:
        """Count the batches whose event was not counted before; how many predictions that were.

        Claims and counts commit together, so any batch may be given again.
        """
        by_id = {batch.event_id: batch for batch in batches}
        async with self._windows.write() as windows:
            fresh = await windows.claim(list(by_id), self._clock.now())
            counted = tally((batch for event_id, batch in by_id.items() if event_id in fresh), self._window_us)
            await windows.add(counted, self._window_us)
        self._meters.counted(counted.total())
        return counted.total()
