"""How far windowed views' values have come, for those who measure ages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from services.feature_serving.domain.windows import floor
from services.feature_serving.ports import Watermarks
from slipway.clock import Clock


class Boundaries:
    """The last boundary of each windowed view, from memory for ``keep_s`` seconds.

    This process's own progress counts at once; another's after that time.
    """

    def __init__(self, watermarks: Watermarks, clock: Clock, keep_s: float = 1.0) -> None:
        self._watermarks = watermarks
        self._clock = clock
        self._keep_s = keep_s
        self._kept: dict[str, tuple[float, int]] = {}

    def note(self, view: str, reached_us: int) -> None:
        """Remember that a view's values have come so far."""
        self._kept[view] = (self._clock.monotonic(), max(reached_us, self._kept.get(view, (0.0, 0))[1]))

    async def of(self, hops: Iterable[tuple[str, int]]) -> Mapping[str, int]:
        """The last boundary of each view with its hop in microseconds, 0 before the first."""
        return {view: floor(await self._reached(view), hop_us) for view, hop_us in hops}

    async def _reached(self, view: str) -> int:
        kept = self._kept.get(view)
        if kept is not None and self._clock.monotonic() - kept[0] < self._keep_s:
            return kept[1]
        found = await self._watermarks.get(view)
        self.note(view, found.event_time_us if found else 0)
        return self._kept[view][1]
