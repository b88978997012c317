"""How far views have come, for those who measure ages and those who wait."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence

from services.feature_serving.domain.windows import floor
from services.feature_serving.ports.written import Watermarks
from slipway.clock import Clock

# Another process's progress is seen no later than this.
_LOOK_S = 0.05


class Reached:
    """Where each view stands, from memory for ``keep_s`` seconds.

    This process's own progress counts at once; another's after that time.
    """

    def __init__(self, watermarks: Watermarks, clock: Clock, keep_s: float = 1.0) -> None:
        self._watermarks = watermarks
        self._clock = clock
        self._keep_s = keep_s
        self._kept: dict[str, tuple[float, int]] = {}
        self._risen = asyncio.Event()

    def note(self, reached_us: Mapping[str, int]) -> None:
        """Remember how far views have come, in microseconds since 1970, and wake those who wait for them."""
        now = self._clock.monotonic()
        for view, moment_us in reached_us.items():
            self._kept[view] = (now, max(moment_us, self._known(view)))
        self._risen.set()
        self._risen = asyncio.Event()

    async def boundaries(self, hops: Collection[tuple[str, int]]) -> Mapping[str, int]:
        """The last boundary of each windowed view with its hop in microseconds, 0 before the first."""
        if stale := [view for view, _ in hops if not self._fresh(view)]:
            await self._look(stale)
        return {view: floor(self._known(view), hop_us) for view, hop_us in hops}

    async def passed(self, views: Sequence[str], moment_us: int, patience_s: float) -> bool:
        """Whether all the views have come to ``moment_us``; waits for it ``patience_s`` seconds at most."""
        began = self._clock.monotonic()
        give_up_at = began + patience_s
        # The process that moves the views hears of each rise by `note`, and its looks would slow what it waits for.
        look_at = began + _LOOK_S if all(self._fresh(view) for view in views) else began
        while True:
            risen = self._risen
            behind = [view for view in views if self._known(view) < moment_us]
            if behind and self._clock.monotonic() >= min(look_at, give_up_at):
                await self._look(behind)
                look_at = self._clock.monotonic() + _LOOK_S
                behind = [view for view in behind if self._known(view) < moment_us]
            if not behind:
                return True
            if give_up_at <= self._clock.monotonic():
                return False
            await self._wait(risen, min(give_up_at, look_at) - self._clock.monotonic())

    def _known(self, view: str) -> int:
        return self._kept.get(view, (0.0, 0))[1]

    def _fresh(self, view: str) -> bool:
        kept = self._kept.get(view)
        return kept is not None and self._clock.monotonic() - kept[0] < self._keep_s

    async def _look(self, views: Sequence[str]) -> None:
        found = await self._watermarks.several(views)
        now = self._clock.monotonic()
        for view in views:
            self._kept[view] = (now, max(found[view].event_time_us if view in found else 0, self._known(view)))

    async def _wait(self, risen: asyncio.Event, seconds: float) -> None:
        waits = {asyncio.ensure_future(risen.wait()), asyncio.ensure_future(self._clock.sleep(seconds))}
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waits:
                one.cancel()
            # Not awaited one by one: a cancellation of our own, which may come just now, would be taken for theirs.
            await asyncio.wait(waits)
