"""Windows of event time, and what is asked about them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.monitor.domain.batch import Arm
from slipway.errors import invalid_field
from slipway.naming import resource_name


@dataclass(frozen=True, slots=True)
class PredictionWindow:
    """What ``arm`` answered from ``start_us`` to before ``end_us``, microseconds of event time since 1970."""

    arm: Arm
    start_us: int
    end_us: int
    predictions: int


@dataclass(frozen=True, slots=True)
class VersionCount:
    """What one version answered."""

    model: str
    version: int
    predictions: int


@dataclass(frozen=True, slots=True)
class Span:
    """Windows that start from ``start_time`` to before ``end_time`` (None: no bound), of ``endpoint`` (empty: all)."""

    endpoint: str
    start_time: datetime | None = None
    end_time: datetime | None = None

    def check(self) -> Span:
        """Itself. Raises InvalidInput about ``endpoint`` or ``start_time``."""
        if self.endpoint:
            resource_name("endpoint", self.endpoint)
        if self.start_time and self.end_time and self.start_time >= self.end_time:
            raise invalid_field("start_time", "is not before end_time; swap them or leave one out")
        return self
