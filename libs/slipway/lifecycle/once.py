"""A step of the start."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any


class Once:
    """Something that must have happened before what comes after it starts; there is nothing to stop."""

    def __init__(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._work = work

    async def start(self) -> None:
        """Wait until it has happened."""
        await self._work()

    async def stop(self) -> None:
        """Do nothing."""
