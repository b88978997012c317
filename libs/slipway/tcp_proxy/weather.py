"""The conditions as they are now, for those who wait for them to change."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from slipway.tcp_proxy.conditions import Conditions, Counters


class Weather:
    """Conditions, counters, and the news that conditions have changed."""

    def __init__(self) -> None:
        self._conditions = Conditions()
        self._changed = asyncio.Event()
        self.counters = Counters()

    @property
    def conditions(self) -> Conditions:
        """What holds now."""
        return self._conditions

    @conditions.setter
    def conditions(self, conditions: Conditions) -> None:
        self._conditions = conditions
        self._changed.set()
        self._changed = asyncio.Event()

    async def change(self, timeout_s: float | None = None) -> None:
        """Return when conditions change, or after ``timeout_s``."""
        changed = self._changed
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await changed.wait()
