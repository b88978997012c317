"""Streaming a run: as it stands, then after each change, until it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from services.training_scheduler.domain.errors import RunNotFound
from services.training_scheduler.domain.rules import check_run_id
from services.training_scheduler.domain.run import Run
from services.training_scheduler.ports import Runs

# Another process on the same database wakes nobody here; this bounds how late its changes are seen.
_LOOK_AGAIN_S = 2.0


class Watch:
    """Lets any number of watchers follow runs without a queue each.

    A watcher remembers the revision it has seen and reads what is newer: changes that come faster than it reads
    are one step to it.
    """

    def __init__(self, runs: Runs, look_again_s: float = _LOOK_AGAIN_S) -> None:
        self._runs = runs
        self._look_again_s = look_again_s
        self._changed = asyncio.Event()

    def wake(self) -> None:
        """Tell every watcher to look; call it after a commit."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def follow(self, run_id: str) -> AsyncIterator[Run]:
        """The run, then each change, the final one last. Raises InvalidInput, RunNotFound."""
        check_run_id(run_id)
        seen = -1
        while True:
            changed = self._changed
            async with self._runs.read() as runs:
                run = await runs.run(run_id)
            if run is None:
                raise RunNotFound(run_id)
            if run.revision > seen:
                yield run
                seen = run.revision
                if run.final:
                    return
                continue
            try:
                async with asyncio.timeout(self._look_again_s):
                    await changed.wait()
            except TimeoutError:
                continue
