"""Changing a run: read, decide, save and announce in one transaction, then tell who watches."""

from __future__ import annotations

import logging
from collections.abc import Callable

from services.training_scheduler.domain.errors import RunNotFound
from services.training_scheduler.domain.rules import unfinished
from services.training_scheduler.domain.run import Run
from services.training_scheduler.engine.watch import Watch
from services.training_scheduler.ports import Runs
from slipway.clock import Clock
from slipway.errors import Kind, SlipwayError

_AGAIN = {Kind.UNAVAILABLE, Kind.RESOURCE_EXHAUSTED}
_WAIT_S = 1.0
_log = logging.getLogger(__name__)


class Ledger:
    """The runs, one decision at a time."""

    def __init__(self, runs: Runs, watch: Watch, clock: Clock) -> None:
        self._runs = runs
        self._watch = watch
        self._clock = clock

    async def get(self, run_id: str) -> Run:
        """The run as stored. Raises RunNotFound."""
        async with self._runs.read() as runs:
            run = await runs.run(run_id)
        if run is None:
            raise RunNotFound(run_id)
        return run

    async def wanted(self, run_id: str, step: str, attempt: int) -> bool:
        """Whether what the attempt makes may still count, as far as is stored."""
        async with self._runs.read() as runs:
            run = await runs.run(run_id)
        return run is not None and any((name, one.number) == (step, attempt) for name, one in unfinished(run))

    async def change(self, run_id: str, decide: Callable[[Run], Run]) -> Run:
        """Store what ``decide`` makes of the run. Raises RunNotFound, and what ``decide`` raises."""
        async with self._runs.write() as runs:
            before = await runs.run(run_id)
            if before is None:
                raise RunNotFound(run_id)
            after = decide(before)
            if after != before:
                await runs.save(after)
            if after.state is not before.state:
                await runs.announce(after, self._clock.now())
        # Also without a change: it may have been made by a commit whose answer was lost.
        self._watch.wake()
        return after

    async def insist(self, run_id: str, decide: Callable[[Run], Run]) -> Run:
        """As :meth:`change`, again and again while the database is away: finished work must not be lost to that."""
        while True:
            try:
                return await self.change(run_id, decide)
            except SlipwayError as error:
                if error.kind not in _AGAIN:
                    raise
                _log.warning("a run's change waits: %s", error.message, extra={"run_id": run_id})
                await self._clock.sleep(error.retry_after_s or _WAIT_S)
