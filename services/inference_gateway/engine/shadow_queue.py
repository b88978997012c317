"""What shadows are to score: a bounded queue, and the count of what is left out of it."""

from __future__ import annotations

import asyncio
import logging
from collections import deque

from services.inference_gateway.domain.desired import VersionKey
from services.inference_gateway.engine.arm import Arm
from services.inference_gateway.engine.chunk import Chunk
from services.inference_gateway.engine.meter import Meter
from slipway.clock import Clock

log = logging.getLogger(__name__)

_TOLD_EVERY_S = 30.0


class ShadowQueue:
    """Chunks that were answered and logged, each with an arm that is to score them too.

    What does not fit is left out, counted and said; no caller notices.
    """

    def __init__(self, meter: Meter, clock: Clock, limit: int) -> None:
        self._meter = meter
        self._clock = clock
        self._limit = limit
        self._told_at: float | None = None
        self.tasks: deque[tuple[Chunk, Arm]] = deque()
        self.filled = asyncio.Event()
        """Set while ``tasks`` may hold something."""

    def offer(self, chunk: Chunk) -> None:
        """Queue a chunk for each of its shadows; one that a shadow scored is counted."""
        if chunk.shadow:
            self._meter.shadowed(chunk.rows, chunk.batch.endpoint, chunk.arm.route.version)
            return
        for arm in chunk.shadows:
            if len(self.tasks) >= self._limit:
                self.lose(arm.route.version, chunk.rows, "more wait than are allowed to")
                continue
            self.tasks.append((chunk, arm))
            self.filled.set()

    def lose(self, version: VersionKey, rows: int, why: str) -> None:
        """Count rows that a shadow leaves out, and say it now and then."""
        self._meter.shadow_lost(rows, version)
        now = self._clock.monotonic()
        if self._told_at is None or now - self._told_at >= _TOLD_EVERY_S:
            self._told_at = now
            log.warning("rows are left out of a shadow", extra={"version": str(version), "rows": rows, "why": why})
