"""Work that begins at once and goes on as soon as what it waits for is there: a task without the loop's turns."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


def begin(work: Coroutine[Any, Any, None]) -> None:
    """Do the work up to where it must wait, before this returns; the rest follows in the loop.

    For work that is done a thousand times a second, tells everybody who waits for it, and is never cancelled. It runs
    in no task, or in that of whoever begins it: it waits for futures alone. What needs a task of its own, as
    ``asyncio.timeout`` does, is to make one and wait for that.
    """
    _Errand(work).go()


class _Errand:
    __slots__ = ("_work",)

    def __init__(self, work: Coroutine[Any, Any, None]) -> None:
        self._work = work

    def go(self, _: asyncio.Future[Any] | None = None) -> None:
        try:
            waits_for = self._work.send(None)
        except (StopIteration, asyncio.CancelledError):
            return  # it is done, or the loop ends and took away what it waited for
        waits_for.add_done_callback(self.go)
