"""The time that a call has left, passed on to whatever it calls."""

from __future__ import annotations

import time
from contextvars import ContextVar

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
