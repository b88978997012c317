"""Scoring by shadow arms what other arms answered: behind the answers, for the log alone."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

import numpy as np

from services.inference_gateway.domain.batch import Answer
from services.inference_gateway.domain.columns import Array
from services.inference_gateway.domain.desired import VersionKey
from services.inference_gateway.engine.fetch import Fetch
from services.inference_gateway.engine.meter import Meter
from services.inference_gateway.engine.reconcile import Arm
from services.inference_gateway.engine.score import Score, Work
from services.inference_gateway.ports import PredictionLog
from slipway.clock import Clock
from slipway.errors import SlipwayError

log = logging.getLogger(__name__)

_AT_ONCE = 8
_TOLD_EVERY_S = 30.0
Task = tuple[Work, Arm, Array]


class Shadow:
    """A bounded queue of scores to make. What does not fit is left out, counted and said; no caller notices.

    A score that was queued when the process was killed is lost; one that was logged is not made again.
    """

    def __init__(
        self,
        *,
        fetch: Fetch,
        score: Score,
        prediction_log: PredictionLog,
        meter: Meter,
        clock: Clock,
        limit: int,
        flush_s: float,
    ) -> None:
        self._fetch = fetch
        self._score = score
        self._log = prediction_log
        self._meter = meter
        self._clock = clock
        self._limit = limit
        self._flush_s = flush_s
        self._queue: deque[Task] = deque()
        self._waiting = asyncio.Event()
        self._told_at: float | None = None

    def offer(self, work: Work, arms: Sequence[Arm], answered: Sequence[tuple[Arm, Array]]) -> None:
        """Queue what each shadow among ``arms`` did not answer itself of a batch that was answered and logged."""
        for arm in arms:
            if not arm.route.shadow:
                continue
            others = [rows for one, rows in answered if one.route.name != arm.route.name]
            if not others:
                continue
            rows = np.sort(np.concatenate(others))
            if len(self._queue) >= self._limit:
                self._lose(arm.route.version, len(rows), "more wait than are allowed to")
                continue
            self._queue.append((replace(work, marks=(), shadow=True), arm, rows))
            self._waiting.set()

    async def run(self) -> None:
        """Score until cancelled; what was not scored then is left to :meth:`flush`."""
        while True:
            await self._waiting.wait()
            await self._score_some()

    async def flush(self) -> None:
        """Score what is left when the process ends, within the grace."""
        try:
            async with asyncio.timeout(self._flush_s):
                while self._queue:
                    await self._score_some()
        except TimeoutError:
            for _, arm, rows in self._queue:
                self._lose(arm.route.version, len(rows), "the process ends")

    async def _score_some(self) -> None:
        some = list(islice(self._queue, _AT_ONCE))
        answers = await asyncio.gather(*(self._scored(*one) for one in some))
        # Logged and taken off without a pause between: what is cancelled above is made again, what is logged never.
        self._keep([answer for answer in answers if answer is not None])
        for _ in some:
            self._queue.popleft()
        if not self._queue:
            self._waiting.clear()

    async def _scored(self, work: Work, arm: Arm, rows: Array) -> Answer | None:
        try:
            if work.online is not None:
                online = await self._fetch.more(work.online, work.batch, arm.runner.spec.signature)
                work = replace(work, online=online)
            return await self._score.answer(work, arm, rows)
        except SlipwayError as error:
            self._lose(arm.route.version, len(rows), error.message)
        except Exception:
            log.exception("a shadow failed by a defect", extra={"version": str(arm.route.version)})
            self._meter.shadow_lost(len(rows), arm.route.version)
        return None

    def _keep(self, answers: Sequence[Answer]) -> None:
        if not answers:
            return
        try:
            self._log.append(answers, self._clock.now())
        except SlipwayError as error:
            # No answers: these are counted apart from what was answered and not logged.
            for answer in answers:
                self._lose(VersionKey(answer.model, answer.version), answer.batch.rows, error.message)
            return
        for answer in answers:
            self._meter.shadowed(answer)

    def _lose(self, version: VersionKey, rows: int, why: str) -> None:
        self._meter.shadow_lost(rows, version)
        now = self._clock.monotonic()
        if self._told_at is None or now - self._told_at >= _TOLD_EVERY_S:
            self._told_at = now
            log.warning("rows are left out of a shadow", extra={"version": str(version), "rows": rows, "why": why})
