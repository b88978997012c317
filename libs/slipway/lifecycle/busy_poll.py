"""An event loop that stays awake for what is about to come.

A core that has nothing to do halts, and waking it takes a virtual machine 20 to 30 microseconds: for a caller who asks
alone, and whose request goes through several processes, that is most of the time. Looking again and again instead of
sleeping is what sockets call busy polling (Linux: SO_BUSY_POLL) and guests halt polling.
"""

from __future__ import annotations

import asyncio
import os
import selectors
from collections.abc import Callable
from time import monotonic

from slipway.lifecycle.cores import cores

Ready = list[tuple[selectors.SelectorKey, int]]

_LEARNS = 0.25  # of each wait
_SLACK = 2.0  # of what a wait takes as a rule: what takes longer is late, and may need the very core
_AT_LEAST_S = 20e-6
_ENOUGH = 2.0  # cores


class BusyPoll(selectors.EpollSelector):
    """Where the next event will be here within ``longest_s``, looks for it until then; else sleeps, as others do.

    Whether it will is told by how long waits took before when the same event source had been the one before: what
    follows a caller's request, a worker's reply, takes about as long each time, and so does what follows the reply.
    Between two looks every other thread that wants this core may have it.
    """

    def __init__(self, longest_s: float) -> None:
        super().__init__()
        self._longest_s = longest_s
        self._source = -1
        self._usual: dict[int, float] = {}
        """Seconds from an event of a source to the next event, on average over the last ones."""
        self.looks = 0
        """How often it has looked in vain instead of sleeping."""

    def select(self, timeout: float | None = None) -> Ready:
        """See :meth:`selectors.BaseSelector.select`."""
        found = super().select(0)
        if not found and (timeout is None or timeout > 0):
            found = self._wait(timeout)
        if found:
            self._source = found[-1][0].fd
        return found

    def _wait(self, timeout: float | None) -> Ready:
        source, began = self._source, monotonic()
        ends = None if timeout is None else began + timeout
        usual = self._usual.get(source, 2 * self._longest_s)
        found: Ready = []
        if usual < self._longest_s:
            until = began + min(self._longest_s, _SLACK * usual + _AT_LEAST_S)
            found = self._look(until if ends is None else min(until, ends))
        if not found:
            found = super().select(None if ends is None else max(0.0, ends - monotonic()))
        # A pause of hours is forgotten as quickly as one of milliseconds.
        took = min(monotonic() - began, 2 * self._longest_s)
        self._usual[source] = usual + _LEARNS * (took - usual)
        return found

    def _look(self, until: float) -> Ready:
        found: Ready = []
        while not found and monotonic() < until:
            self.looks += 1
            os.sched_yield()
            found = super().select(0)
        return found


def loop_factory(busy_poll_us: float) -> Callable[[], asyncio.AbstractEventLoop] | None:
    """What makes such an event loop; None for the usual one: of 0 microseconds, and where there are no two cores.

    Who is allowed no more than one core's time would spend on waiting what the work needs.
    """
    if not busy_poll_us or cores() < _ENOUGH:
        return None
    return lambda: asyncio.SelectorEventLoop(BusyPoll(busy_poll_us / 1e6))
