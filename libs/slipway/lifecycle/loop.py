"""A coroutine that works until it is stopped."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

log = logging.getLogger(__name__)


class Loop:
    """A component that runs ``work`` as a task until it is stopped; ``flush`` gets a last turn after that."""

    def __init__(
        self,
        name: str,
        work: Callable[[], Coroutine[Any, Any, None]],
        *,
        flush: Callable[[], Awaitable[None]] | None = None,
        again_s: float = 10.0,
    ) -> None:
        """``again_s`` is how long the task has to end before it is cancelled once more."""
        self.name = name
        self._work = work
        self._flush = flush
        self._again_s = again_s
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Run the coroutine as a task."""
        self._task = asyncio.create_task(self._work(), name=self.name)

    async def stop(self) -> None:
        """Cancel the task, wait for it, then flush, whatever the task ended with.

        Raises what the task died of while it was being stopped; an earlier death is :func:`run`'s to tell.
        """
        try:
            if self._task is not None and not self._task.done():
                await self._cancelled(self._task)
                if not self._task.cancelled():
                    self._task.result()
        finally:
            if self._flush is not None:
                await self._flush()

    async def _cancelled(self, task: asyncio.Task[None]) -> None:
        # A library may take a cancellation for that of something it waits for, and go on: asked once, it never ends.
        task.cancel()
        while not task.done():
            await asyncio.wait({task}, timeout=self._again_s)
            if not task.done():
                log.warning("a loop goes on after it was stopped; it is stopped again", extra={"loop": self.name})
                task.cancel()

    @property
    def task(self) -> asyncio.Task[None] | None:
        """The running task, for whoever must notice that it ended."""
        return self._task
