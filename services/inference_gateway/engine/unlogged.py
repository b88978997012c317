"""Answers that the prediction log did not take: each is counted, and that it happens is said."""

from __future__ import annotations

import logging

from services.inference_gateway.engine.meter import Meter
from slipway.clock import Clock

log = logging.getLogger(__name__)

_TOLD_EVERY_S = 30.0
_OVER_S = 5.0  # near its bound a log takes a small answer and the next one not


class Unlogged:
    """Says it at the first, twice a minute while it lasts, and when all were logged for a while again.

    A line for each would fill the disk that may be full already.
    """

    def __init__(self, meter: Meter, clock: Clock) -> None:
        self._meter = meter
        self._clock = clock
        self._rows = 0
        self._missed_at = self._told_at = float("-inf")

    def missed(self, rows: int, why: str) -> None:
        """Rows were answered and are not on the log."""
        self._meter.dropped(rows)
        self._rows += rows
        self._missed_at = self._clock.monotonic()
        if self._missed_at - self._told_at >= _TOLD_EVERY_S:
            self._told_at = self._missed_at
            log.error("predictions are answered but not logged", extra={"rows": self._rows, "why": why})

    def kept(self) -> None:
        """The log took an answer."""
        if self._rows and self._clock.monotonic() - self._missed_at >= _OVER_S:
            log.warning("predictions are logged again", extra={"rows_not_logged": self._rows})
            self._rows, self._told_at = 0, float("-inf")
