"""What is borne of an arm before a gateway takes it to zero by itself."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from slipway.errors import FieldViolation

MAX_BATCHES = 10_000
MAX_LATENCY_MS = 3_600_000.0
_TIMED_WINDOW = 1_000
# The 99th percentile of fewer is their worst, so that one slow batch would be enough.
_TIMED_LEAST = 100


@dataclass(frozen=True, slots=True)
class Guardrails:
    """None for a limit that is not set here; 0 for a number that is left to others."""

    max_error_share: float | None = None
    max_p99_latency_ms: float | None = None
    window_batches: int = 0
    min_batches: int = 0

    def complete(self) -> Guardrails:
        """The same with the numbers that a limit on latency needs."""
        if self.max_p99_latency_ms is None:
            return self
        window = self.window_batches or _TIMED_WINDOW
        return replace(self, window_batches=window, min_batches=self.min_batches or _TIMED_LEAST)


def guardrail_faults(field: str, rails: Guardrails) -> Iterator[FieldViolation]:
    """What is wrong with ``rails``, which stand at ``field``."""
    share, latency = rails.max_error_share, rails.max_p99_latency_ms
    if share is not None and not 0 < share < 1:
        yield FieldViolation(f"{field}.max_error_share", f"is {share}; give a number above 0 and below 1")
    if latency is not None and not (math.isfinite(latency) and 0 < latency <= MAX_LATENCY_MS):
        told = f"is {latency}; give milliseconds above 0, at most {MAX_LATENCY_MS:.0f}"
        yield FieldViolation(f"{field}.max_p99_latency_ms", told)
    if rails.window_batches > MAX_BATCHES:
        yield FieldViolation(f"{field}.window_batches", f"is {rails.window_batches}; give at most {MAX_BATCHES}")
    yield from _count_faults(field, rails)


def _count_faults(field: str, rails: Guardrails) -> Iterator[FieldViolation]:
    window, least = rails.window_batches, rails.min_batches
    if least and not window and rails.max_p99_latency_ms is None:
        yield FieldViolation(f"{field}.window_batches", "is missing beside min_batches; give it too")
    elif least > (window or _TIMED_WINDOW):
        told = f"is {least}, more than the window holds ({window or _TIMED_WINDOW}); give at most that"
        yield FieldViolation(f"{field}.min_batches", told)
    if rails.max_p99_latency_ms is None:
        return
    for name, given in (("window_batches", window), ("min_batches", least)):
        if 0 < given < _TIMED_LEAST:
            told = f"is {given}; give {_TIMED_LEAST} or more, for the 99th percentile of fewer is their worst, or 0"
            yield FieldViolation(f"{field}.{name}", told)
