"""A line of a step's log."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line that an attempt printed or logged, without its end of line."""

    step: str
    attempt: int
    text: str
