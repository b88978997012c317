"""A coroutine that works until it is stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any


class Loop:
    """A component that runs ``work`` as a task until it is stopped; ``flush`` gets a last turn after that."""

    def __init__(
        self,
        name: str,
        work: Callable[[], Coroutine[Any, Any, None]],
        *,
        flush: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.name = name
        self._work = work
        self._flush = flush
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
                self._task.cancel()
                await asyncio.wait({self._task})
                if not self._task.cancelled():
                    self._task.result()
        finally:
            if self._flush is not None:
                await self._flush()

    @property
    def task(self) -> asyncio.Task[None] | None:
        """The running task, for whoever must notice that it ended."""
        return self._task
