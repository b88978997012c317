"""Components, loops and the wait between start and stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol

log = logging.getLogger(__name__)


class Component(Protocol):
    """Something that is started once and stopped once."""

    async def start(self) -> None:
        """Return when it does its work, or raise."""
        ...

    async def stop(self) -> None:
        """Finish what was taken on, then release everything. Called only after :meth:`start` returned."""
        ...


class Loop:
    """A coroutine that runs until it is stopped; ``flush`` gets a last turn after that."""

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
        """Cancel the task, wait for it, then flush."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._flush is not None:
            await self._flush()

    @property
    def task(self) -> asyncio.Task[None] | None:
        """The running task, for whoever must notice that it ended."""
        return self._task


async def run(*components: Component, stop: asyncio.Event | None = None) -> None:
    """Start ``components`` in order, wait for a signal (or ``stop``), stop them in reverse.

    Raises what a loop died of, after everything else was stopped.
    """
    ending = stop or asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.set)
    started: list[Component] = []
    try:
        for component in components:
            await component.start()
            started.append(component)
        await _until(ending, started)
    finally:
        for component in reversed(started):
            await _stop(component)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


async def _until(ending: asyncio.Event, started: list[Component]) -> None:
    waiting = asyncio.create_task(ending.wait())
    tasks = [component.task for component in started if isinstance(component, Loop) and component.task]
    try:
        done, _ = await asyncio.wait({waiting, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        for task in done - {waiting}:
            log.error("a loop ended by itself", extra={"loop": task.get_name()})
            task.result()
            raise RuntimeError(f"the loop {task.get_name()} returned; loops run until they are stopped")
    finally:
        waiting.cancel()


async def _stop(component: Component) -> None:
    try:
        await component.stop()
    except Exception:
        # The others must still be stopped; the failure is on record and the process goes down anyway.
        log.exception("a component did not stop cleanly", extra={"component": type(component).__name__})
