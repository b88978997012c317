"""Scoring by shadow arms what other arms answered: behind the answers, for the log alone."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from itertools import islice

from services.inference_gateway.domain.feature_errors import FeatureTypeMismatch
from services.inference_gateway.engine.arm import Arm
from services.inference_gateway.engine.ask import Ask
from services.inference_gateway.engine.chunk import Chunk, Share
from services.inference_gateway.engine.dispatch import Dispatch
from services.inference_gateway.engine.fetch import Fetch
from services.inference_gateway.engine.prepare import prepare
from services.inference_gateway.engine.reconcile import Reconciler
from services.inference_gateway.engine.shadow_queue import ShadowQueue
from slipway.clock import Clock
from slipway.errors import InvalidInput, SlipwayError

log = logging.getLogger(__name__)

_AT_ONCE = 8
_LAST = 2**31 - 1
"""The priority of what no caller waits for."""


class Shadow:
    """Scores what waits in the queue, after everything that callers wait for.

    A score that was queued when the process was killed is lost; one that was logged is not made again.
    """

    def __init__(
        self,
        *,
        queue: ShadowQueue,
        dispatch: Dispatch,
        reconciler: Reconciler,
        fetch: Fetch,
        clock: Clock,
        flush_s: float,
    ) -> None:
        self._queue = queue
        self._dispatch = dispatch
        self._reconciler = reconciler
        self._fetch = fetch
        self._clock = clock
        self._flush_s = flush_s

    async def run(self) -> None:
        """Score until cancelled; what was not scored then is left to :meth:`flush`."""
        while True:
            await self._queue.filled.wait()
            await self._score_some()

    async def flush(self) -> None:
        """Score what is left when the process ends, within the grace."""
        tasks = self._queue.tasks
        try:
            async with asyncio.timeout(self._flush_s):
                while tasks:
                    await self._score_some()
        except TimeoutError:
            for chunk, arm in tasks:
                self._queue.lose(arm.route.version, chunk.rows, "the process ends")

    async def _score_some(self) -> None:
        tasks = self._queue.tasks
        some = list(islice(tasks, _AT_ONCE))
        asks: list[Ask | None] = []
        try:
            for chunk, arm in some:
                asks.append(await self._begun(chunk, arm))
            for ask, (chunk, arm) in zip(asks, some, strict=True):
                if ask is not None:
                    await self._scored(ask, chunk, arm)
        finally:
            # Logged and taken off without a pause between: what is cancelled here is made again, what is logged never.
            left = [task for ask, task in zip(asks, some, strict=False) if ask is not None and ask.answered.cancel()]
            left += some[len(asks) :]
            for _ in some:
                tasks.popleft()
            tasks.extendleft(reversed(left))
            if not tasks:
                self._queue.filled.clear()

    async def _begun(self, chunk: Chunk, arm: Arm) -> Ask | None:
        """The same rows on their way to a shadow; None, and counted, where it can't take them."""
        # No request of a caller's: without origins it has no latency, either.
        batch = replace(chunk.batch, priority=_LAST, deadline_s=None, origins=())
        ask = Ask(batch, chunk.ids, self._clock.monotonic())
        try:
            online = chunk.online
            if online is not None:
                online = online if chunk.rows_read is None else online.take(chunk.rows_read)
                online = await self._fetch.more(online, batch, arm.runner.spec.signature)
            shares = (Share(ask, batch.rows),)
            self._dispatch.offer(prepare(arm, batch, chunk.ids, (), shares, online=online, shadow=True))
        except InvalidInput as error:
            # Input that suited the arm which answered is this arm's fault, not the caller's.
            self._reconciler.observe(batch.endpoint, arm.route, error.message)
            self._queue.lose(arm.route.version, batch.rows, error.message)
            return None
        except SlipwayError as error:
            if isinstance(error, FeatureTypeMismatch):
                self._reconciler.observe(batch.endpoint, arm.route, error.message)
            self._queue.lose(arm.route.version, batch.rows, error.message)
            return None
        return ask

    async def _scored(self, ask: Ask, chunk: Chunk, arm: Arm) -> None:
        try:
            await asyncio.shield(ask.answered)
        except SlipwayError as error:
            self._queue.lose(arm.route.version, chunk.rows, error.message)
        except Exception:
            log.exception("a shadow failed by a defect", extra={"version": str(arm.route.version)})
            self._queue.lose(arm.route.version, chunk.rows, "by a defect")
