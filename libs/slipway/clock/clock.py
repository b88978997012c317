"""The clock port and the system's own clock."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Where an engine gets time from."""

    def now(self) -> datetime:
        """Wall time, aware, in UTC. It may jump; never measure a duration with it."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never goes back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for ``seconds`` of monotonic time."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now(self) -> datetime:
        """See :meth:`Clock.now`."""
        return datetime.now(UTC)

    monotonic = staticmethod(time.monotonic)
    """See :meth:`Clock.monotonic`; without a call in between, for it is asked ten times a request."""

    async def sleep(self, seconds: float) -> None:
        """See :meth:`Clock.sleep`."""
        await asyncio.sleep(seconds)
