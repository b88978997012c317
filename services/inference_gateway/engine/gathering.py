"""When to begin: at once for a lone request, a moment later where others are on their way."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable

_ENOUGH = 16  # requests that are worth a wave, however many call
_QUIET_TURNS = 20  # of the loop in which nobody came; gRPC needs some to hand over a request
_FORGETS = 0.95  # of the largest crowd, at each wave


class Gathering:
    """Waits for those who are known to call as well.

    A lone caller waits for nobody. Of several, each would have a wave of its own, for gRPC hands over one request
    after the other, and the loop would spend on waves the time in which it could take in the others. Whether more
    are on their way only the loop knows: it has turns in which it hands over nobody once all are there. Counting
    turns rather than time, a loop that is slow for a while does not begin too early for that.
    """

    def __init__(self, begin: Callable[[], None], longest_s: float) -> None:
        """``begin`` is called in the loop; ``longest_s`` is the longest wait from the first that came, 0 for none."""
        self._begin = begin
        self._longest_s = longest_s
        self._crowd = 1.0
        self._open = 0
        self._came = 0
        self._quiet = 0
        self._until = 0.0
        self._next: asyncio.Handle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._soon = False
        # A wave is nobody's call: it has neither one caller's deadline nor one caller's trace.
        self._nobody = contextvars.Context()

    def came(self, are_open: int, requests: int = 1, *, at_once: bool = False) -> None:
        """So many more came; so many are not answered yet, those included.

        ``at_once``: these are all who came in this turn of the loop, so a lone one need not wait for its end.
        """
        self._came += requests
        self._quiet = 0
        self._open = are_open
        if are_open > self._crowd:
            self._crowd = float(are_open)
        if self._soon:
            return
        loop = self._loop = self._loop or asyncio.get_running_loop()
        if at_once and self._crowd < 2 and self._next is None:
            self._nobody.run(self._go)
        elif self._came >= min(_ENOUGH, int(self._crowd)) or not self._longest_s:
            self._soon = True
            if self._next is not None:
                self._next.cancel()
            self._next = loop.call_soon(self._go, context=self._nobody)
        elif self._next is None:
            self._until = loop.time() + self._longest_s
            self._next = loop.call_soon(self._look, context=self._nobody)

    def left(self, are_open: int) -> None:
        """One was answered or gave up."""
        self._open = are_open

    def _look(self) -> None:
        self._quiet += 1
        loop = asyncio.get_running_loop()
        if self._quiet > _QUIET_TURNS or loop.time() >= self._until:
            self._go()
        else:
            self._next = loop.call_soon(self._look, context=self._nobody)

    def _go(self) -> None:
        self._next, self._soon = None, False
        self._came = 0
        self._crowd = max(float(self._open), self._crowd * _FORGETS)
        self._begin()
