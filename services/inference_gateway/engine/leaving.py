"""What is on its way out: versions that drain, and loads that were given up."""

from __future__ import annotations

import asyncio

from services.inference_gateway.domain.desired import VersionKey
from services.inference_gateway.engine.runner import Runner


class Leaving:
    """Keeps hold of what ends by itself, so that somebody waits for it."""

    def __init__(self, drain_s: float) -> None:
        """``drain_s`` is the time that a drained version gets."""
        self._drain_s = drain_s
        self._tasks: set[asyncio.Task[None]] = set()

    def retire(self, runner: Runner) -> None:
        """Let a version finish what it has, then end its workers."""
        self.await_at_end(asyncio.create_task(runner.stop(self._drain_s), name=_drain(runner.spec.key)))

    def give_up(self, loading: asyncio.Task[None]) -> None:
        """Load it no further."""
        loading.cancel()
        self.await_at_end(loading)

    def await_at_end(self, task: asyncio.Task[None]) -> None:
        """Hold a task until it is done."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def retired(self, key: VersionKey) -> None:
        """Return when no retired worker of a version is there any more."""
        if ending := [task for task in self._tasks if task.get_name() == _drain(key)]:
            await asyncio.wait(ending)

    async def end(self) -> None:
        """Return when all are gone."""
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _drain(key: VersionKey) -> str:
    return f"drain {key}"
