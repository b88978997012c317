"""Waiting for a platform that is busy, or whose services are being restarted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from slipway.errors import Kind, SlipwayError, Unavailable

_T = TypeVar("_T")
_PASSING = frozenset({Kind.UNAVAILABLE, Kind.DEADLINE_EXCEEDED, Kind.CANCELLED, Kind.RESOURCE_EXHAUSTED})
_FIRST_S, _LONGEST_S = 0.002, 0.1


async def insist(call: Callable[[], Awaitable[_T]], patience_s: float = 120.0) -> _T:
    """What the call gives, once the platform answers; calls must be safe to repeat.

    Raises the call's own error when it is no passing one, or when patience has run out.
    """
    ends = time.monotonic() + patience_s
    pause = _FIRST_S
    while True:
        try:
            return await call()
        except SlipwayError as error:
            if error.kind not in _PASSING or time.monotonic() > ends:
                raise
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_S)


async def until(found: Callable[[], Awaitable[_T | None]], what: str, patience_s: float = 120.0) -> _T:
    """What ``found`` gives, once it gives anything. Raises Unavailable, naming ``what``, when patience has run out."""
    ends = time.monotonic() + patience_s
    pause = _FIRST_S
    while True:
        answer = await insist(found, patience_s)
        if answer is not None:
            return answer
        if time.monotonic() > ends:
            raise Unavailable(f"waited {patience_s:.0f} s in vain for {what}")
        await asyncio.sleep(pause)
        pause = min(1.5 * pause, _LONGEST_S)
