"""Looking after workers: how much memory each has, and replacing one that leaks."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from services.inference_gateway.engine.meter import Meter
from services.inference_gateway.engine.runner import Runner
from slipway.clock import Clock

log = logging.getLogger(__name__)


class Upkeep:
    """Replaces a worker that grew by more than ``growth_limit_bytes`` since it was warm; 0 lets it grow.

    The next worker is up before the last one drains: no request fails by it.
    """

    def __init__(
        self,
        runners: Callable[[], Sequence[Runner]],
        meter: Meter,
        clock: Clock,
        *,
        growth_limit_bytes: int,
        every_s: float,
    ) -> None:
        """``runners`` says which versions are loaded."""
        self._runners = runners
        self._meter = meter
        self._clock = clock
        self._limit = growth_limit_bytes
        self._every_s = every_s

    async def run(self) -> None:
        """Look again and again until cancelled."""
        while True:
            await self._clock.sleep(self._every_s)
            for runner in self._runners():
                await self.look(runner)

    async def look(self, runner: Runner) -> None:
        """Look at one version's workers."""
        key = runner.spec.key
        self._meter.weighed(key, runner.memory_bytes)
        for berth in runner.berths:
            grown = berth.grown_bytes
            if not self._limit or grown <= self._limit:
                continue
            facts = {"version": str(key), "grown_bytes": grown, "limit_bytes": self._limit}
            log.warning("a worker leaks memory and is replaced", extra=facts)
            try:
                await berth.renew()
            except Exception:
                # Whatever it was, the worker that leaks still answers, and is looked at again.
                log.exception("a worker that leaks goes on", extra=facts)
            else:
                self._meter.replaced(key)
