"""Ends of calls: one timer of the event loop for all that end within the same hundredth of a second."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from heapq import heappop, heappush
from typing import Any, TypeVar

from slipway.rpc import deadline
from slipway.rpc.refusals import DeadlineExceeded

T = TypeVar("T")

_PER_S = 100


class Timers:
    """Cancels tasks, and futures, at their time. Each costs an entry in a set, where a timer would cost one in a heap.

    A task is cancelled up to 10 ms late, never early; :meth:`clear` says whether that happened.
    """

    def __init__(self) -> None:
        self._due: dict[int, set[asyncio.Future[Any]]] = {}
        self._ticks: list[int] = []
        self._next: asyncio.TimerHandle | None = None
        self._next_tick = 0
        self._ended: set[asyncio.Future[Any]] = set()

    def set(self, task: asyncio.Future[Any], seconds: float) -> int:
        """Cancel ``task`` in so many seconds, unless :meth:`clear` is called with what is returned."""
        loop = task.get_loop()
        tick = self.tick(seconds)
        due = self._due.get(tick)
        if due is None:
            due = self._due[tick] = set()
            heappush(self._ticks, tick)
            if self._next is None or tick < self._next_tick:
                self._wait(loop)
        due.add(task)
        return tick

    @staticmethod
    def late(limit_s: float) -> DeadlineExceeded:
        """What is told of what took longer."""
        return DeadlineExceeded(f"no answer within {limit_s:.3f} s; allow more time or ask for less")

    def tick(self, seconds: float) -> int:
        """Which hundredth of a second what takes so many seconds from now ends with."""
        return int((time.monotonic() + seconds) * _PER_S) + 1

    async def bounded(self, work: Awaitable[T], limit_s: float | None) -> T:
        """Do the work in this task, which has ``limit_s`` for it, and tell it so. Raises DeadlineExceeded after it."""
        if limit_s is None:
            return await work
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  (handlers are run as tasks)
        deadline.start(limit_s)
        tick = self.set(task, limit_s)
        try:
            done = await work
        except asyncio.CancelledError:
            if self.clear(task, tick):
                raise self.late(limit_s) from None
            raise
        except BaseException:
            self.clear(task, tick)
            raise
        # An answer that came while its end was being told is an answer.
        self.clear(task, tick)
        return done

    def clear(self, task: asyncio.Future[Any], tick: int) -> bool:
        """Take the task's end back. True when it was cancelled for it, which is undone."""
        due = self._due.get(tick)
        if due is not None:
            due.discard(task)
        if task not in self._ended:
            return False
        self._ended.discard(task)
        if isinstance(task, asyncio.Task):
            task.uncancel()
        return True

    def _wait(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._next is not None:
            self._next.cancel()
        self._next_tick = self._ticks[0]
        self._next = loop.call_at(self._next_tick / _PER_S, self._end_some, loop)

    def _end_some(self, loop: asyncio.AbstractEventLoop) -> None:
        self._next = None
        now = loop.time() * _PER_S
        while self._ticks and self._ticks[0] <= now:
            for task in self._due.pop(heappop(self._ticks)):
                self._ended.add(task)
                task.cancel()
        if self._ticks:
            self._wait(loop)
