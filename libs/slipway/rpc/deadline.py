"""The time that a call has left, passed on to whatever it calls."""

from __future__ import annotations

import asyncio
import time
from contextvars import ContextVar, Token
from types import TracebackType

from slipway.rpc.refusals import DeadlineExceeded

# Monotonic time at which the answer is no longer wanted; None outside a call.
_ends_at: ContextVar[float | None] = ContextVar("slipway_deadline", default=None)


def start(seconds: float) -> None:
    """Give the current task ``seconds`` from now."""
    _ends_at.set(time.monotonic() + seconds)


def ends_at() -> float | None:
    """The monotonic time, in seconds, at which the call ends; None where no call set a deadline."""
    return _ends_at.get()


def remaining() -> float | None:
    """Seconds left, never negative; None where no call set a deadline."""
    ends_at = _ends_at.get()
    return None if ends_at is None else max(0.0, ends_at - time.monotonic())


def within(own_s: float) -> float:
    """The smaller of a caller's own time-out and what remains of the call being answered."""
    left = remaining()
    return own_s if left is None else min(own_s, left)


class Bound:
    """Gives the block it surrounds ``limit_s`` at most, less where the caller has less left; None: what is left.

    Raises DeadlineExceeded when that time is over.
    """

    def __init__(self, limit_s: float | None) -> None:
        self._limit_s = remaining() if limit_s is None else within(limit_s)
        self._timer = asyncio.timeout(self._limit_s)
        self._token: Token[float | None] | None = None

    async def __aenter__(self) -> None:
        if self._limit_s is not None:
            self._token = _ends_at.set(time.monotonic() + self._limit_s)
        await self._timer.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._token is not None:
            _ends_at.reset(self._token)
        try:
            await self._timer.__aexit__(kind, error, trace)
        except TimeoutError:
            raise DeadlineExceeded(f"no answer within {self._limit_s:.4g} s; allow more time or ask for less") from None
