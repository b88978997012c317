"""Recording labels that a caller brings."""

from __future__ import annotations

from services.monitor.domain.label import MOST_LABELS, LabelBatch, LabelTally, check_labels
from services.monitor.engine.taking import Taking
from services.monitor.ports import Meters, Windows
from slipway.clock import Clock


class Labelling:
    """Takes labels in as they come by call; those that come by event go through Counting."""

    def __init__(self, windows: Windows, taking: Taking, clock: Clock, meters: Meters) -> None:
        self._windows = windows
        self._taking = taking
        self._clock = clock
        self._meters = meters

    async def record(self, batch: LabelBatch) -> LabelTally:
        """What became of each label. A call may be repeated. Raises InvalidInput."""
        check_labels(batch, MOST_LABELS)
        async with self._windows.write() as windows:
            tally = await self._taking.take(windows, (), [batch], self._clock.now())
        self._meters.labelled(tally)
        return tally
