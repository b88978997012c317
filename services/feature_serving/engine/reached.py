"""How far views have come, for those who measure ages and those who wait."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from services.feature_serving.domain.windows import floor
from services.feature_serving.ports import Watermarks
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

    async def boundaries(self, hops: Iterable[tuple[str, int]]) -> Mapping[str, int]:
        """The last boundary of each windowed view with its hop in microseconds, 0 before the first."""
        return {view: floor(await self._reached(view), hop_us) for view, hop_us in hops}

    async def passed(self, views: Sequence[str], moment_us: int, patience_s: float) -> bool:
        """Whether all the views have come to ``moment_us``; waits for it ``patience_s`` seconds at most."""
        give_up_at = self._clock.monotonic() + patience_s
        look_at = self._clock.monotonic()
        while True:
            risen = self._risen
            if self._clock.monotonic() >= look_at:
                await self._look([view for view in views if self._known(view) < moment_us])
                look_at = self._clock.monotonic() + _LOOK_S
            if all(self._known(view) >= moment_us for view in views):
                return True
            left_s = min(give_up_at, look_at) - self._clock.monotonic()
            if give_up_at <= self._clock.monotonic():
                return False
            await self._wait(risen, left_s)

    def _known(self, view: str) -> int:
        return self._kept.get(view, (0.0, 0))[1]

    async def _reached(self, view: str) -> int:
        kept = self._kept.get(view)
        if kept is None or self._clock.monotonic() - kept[0] >= self._keep_s:
            await self._look([view])
        return self._known(view)

    async def _look(self, views: Sequence[str]) -> None:
        for view in views:
            found = await self._watermarks.get(view)
            self._kept[view] = (self._clock.monotonic(), max(found.event_time_us if found else 0, self._known(view)))

    async def _wait(self, risen: asyncio.Event, seconds: float) -> None:
        waits = {asyncio.ensure_future(risen.wait()), asyncio.ensure_future(self._clock.sleep(seconds))}
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waits:
                one.cancel()
                with suppress(asyncio.CancelledError):
                    await one
