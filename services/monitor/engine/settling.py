"""Counting features that waited for their baseline, and judging the windows that passed meanwhile."""

from __future__ import annotations

import logging

from services.monitor.domain.feature import count_features
from services.monitor.engine.baselines import Baselines
from services.monitor.engine.judging import Judging
from services.monitor.ports import Windows, Writer
from slipway.clock import Clock

log = logging.getLogger(__name__)


class Settling:
    """Brings versions up to where they would be had their baseline been there from the start.

    A portion of up to ``portion`` batches is counted and forgotten in one transaction. While one of a version is left,
    none of the version's windows is judged; who counts the last one judges those that passed meanwhile. So it may end
    at any line, and begin again.
    """

    def __init__(
        self, windows: Windows, baselines: Baselines, judging: Judging, clock: Clock, *, portion: int = 100
    ) -> None:
        self._windows = windows
        self._baselines = baselines
        self._judging = judging
        self._clock = clock
        self._portion = portion

    async def settle(self) -> None:
        """Count all that waits and has its baseline by now."""
        while True:
            async with self._windows.write() as windows:
                more = await self._some(windows)
            if not more:
                return

    async def _some(self, windows: Writer) -> bool:
        waited = await windows.waiting.known(self._portion)
        batches = [batch for some in waited.values() for batch in some]
        if not batches:
            return False
        baselines = await self._baselines.of(windows, {(batch.arm.model, batch.arm.version) for batch in batches})
        for window_us, some in waited.items():
            await windows.add_features(count_features(some, baselines, window_us))
        await windows.waiting.drop([batch.event_id for batch in batches])
        for endpoint, model, version in sorted({(one.arm.endpoint, one.arm.model, one.arm.version) for one in batches}):
            if (model, version) not in await windows.waiting.unsettled(endpoint):
                await self._judging.catch_up(windows, endpoint, (model, version), self._clock.now())
                log.info("counted on %s what waited for the baseline of %s version %d", endpoint, model, version)
        return True
