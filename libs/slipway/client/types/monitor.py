"""What serving saw."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class PredictionWindow:
    """What one version of one endpoint answered from ``start_time`` to before ``end_time``, in event time."""

    endpoint: str
    model: str
    version: int
    route: str
    start_time: datetime
    end_time: datetime
    predictions: int


@dataclass(frozen=True, slots=True)
class VersionCount:
    """What one version answered."""

    model: str
    version: int
    predictions: int


@dataclass(frozen=True, slots=True)
class PredictionCount:
    """An endpoint's predictions, all and by version."""

    predictions: int
    versions: tuple[VersionCount, ...] = ()


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that the monitor could not handle, and why.

    ``partition`` and ``offset`` are its place in ``topic``; None, and an empty ``topic`` or ``error``, when the letter
    does not say. ``time`` is when it happened; None when no year has it. ``value`` is None unless it was asked for.
    """

    event_id: str
    topic: str
    partition: int | None
    offset: int | None
    key: str
    time: datetime | None
    error: str
    size_bytes: int
    value: bytes | None = None
