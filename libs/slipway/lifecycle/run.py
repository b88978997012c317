"""Components, and the wait between their start and their stop."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Protocol

from slipway import failpoints
from slipway.lifecycle.loop import Loop

log = logging.getLogger(__name__)

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Component(Protocol):
    """Something that is started once and stopped once."""

    async def start(self) -> None:
        """Return when it does its work, or raise."""
        ...

    async def stop(self) -> None:
        """Finish what was taken on, then release everything. Called only after :meth:`start` returned."""
        ...


async def run(*components: Component, stop: asyncio.Event | None = None) -> None:
    """Start ``components`` in order, wait for a signal (or ``stop``), stop them in reverse.

    Raises what a loop died of, after everything else was stopped.
    """
    failpoints.warn_if_armed()
    ending = stop or asyncio.Event()
    with _signals_set(ending):
        async with running(*components):
            with _heap_set_aside():
                await _until(ending, components)


@asynccontextmanager
async def running(*components: Component) -> AsyncIterator[None]:
    """Start ``components`` in order; stop those that started, in reverse, on leaving."""
    started: list[Component] = []
    try:
        for component in components:
            await component.start()
            started.append(component)
        yield
    finally:
        for component in reversed(started):
            await _stop(component)


@contextmanager
def _heap_set_aside() -> Iterator[None]:
    """Spare Python's collector what the start made: it would go through all of it again and again, tens of ms each."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@contextmanager
def _signals_set(ending: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, ending.set)
    try:
        yield
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)


async def _until(ending: asyncio.Event, started: Sequence[Component]) -> None:
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
