"""Giving runs their turn."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from services.training_scheduler.engine.execution import Execution
from services.training_scheduler.ports import Runs
from slipway.clock import Clock
from slipway.errors import SlipwayError

_AWAY_S = 1.0
# A commit whose answer was lost wakes nobody; this bounds how late its run is seen.
_LOOK_AGAIN_S = 2.0
_log = logging.getLogger(__name__)


class Scheduler:
    """Works on the oldest runs, so many at a time.

    A run that is stored as running and that nobody here works on belonged to a process that died: it comes first.
    So recovery is nothing special: it is the first look at the queue.
    """

    def __init__(
        self,
        runs: Runs,
        execution: Execution,
        clock: Clock,
        max_running_runs: int,
        look_again_s: float = _LOOK_AGAIN_S,
    ) -> None:
        self._runs = runs
        self._execution = execution
        self._clock = clock
        self._most = max_running_runs
        self._look_again_s = look_again_s
        self._active: set[str] = set()
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Say that there is a new run."""
        self._woken.set()

    async def run(self) -> None:
        """Work until cancelled; then every running attempt is given back."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._woken.clear()
                for run_id in await self._next():
                    self._active.add(run_id)
                    group.create_task(self._carry(run_id), name=run_id)
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._look_again_s):
                        await self._woken.wait()

    async def _next(self) -> list[str]:
        while True:
            try:
                async with self._runs.read() as runs:
                    waiting = [one for one in await runs.open_runs(self._most) if one not in self._active]
            except SlipwayError as error:
                _log.warning("the queue can't be read: %s", error.message, exc_info=error)
                await self._clock.sleep(_AWAY_S)
            else:
                return waiting[: self._most - len(self._active)]

    async def _carry(self, run_id: str) -> None:
        try:
            await self._execution.carry_out(run_id)
        except SlipwayError as error:
            _log.warning("a run is interrupted: %s", error.message, exc_info=error, extra={"run_id": run_id})
            await self._clock.sleep(_AWAY_S)
        finally:
            self._active.discard(run_id)
            self._woken.set()
