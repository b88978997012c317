"""Workflows for the wire tests."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from slipway.workflow import StepContext, step, workflow


@dataclass(frozen=True)
class Params:
    """What to add."""

    start: int
    by: float = 0.5
    label: str = "none"


@dataclass(frozen=True)
class Sum:
    """A total."""

    total: float
    raw: bytes = b"raw"

    def summary(self) -> dict[str, float]:
        """The total."""
        return {"total": self.total}


@step
def first(start: int) -> Sum:
    """Begin."""
    return Sum(float(start))


@step
def second(first: Sum, by: float, context: StepContext) -> Sum:
    """Add."""
    context.log("adding", by=by)
    return Sum(first.total + by)


@step
def breaks(start: int) -> int:
    """Raise."""
    if start >= 0:
        raise ValueError(f"{start} is broken")
    return start


@step
def endless(context: StepContext) -> int:
    """Run until cancelled."""
    while True:
        context.checkpoint()
        threading.Event().wait(0.01)


sums = workflow("sums", [first, second], Params, description="Adds.")
broken = workflow("broken", [breaks], Params)
forever = workflow("forever", [endless])
