"""Answering a batch: recall, route, read features, score, log, and only then answer."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence

import numpy as np

from services.inference_gateway.domain.batch import Answer, Batch, Prediction, check_batch, digests, predictions
from services.inference_gateway.domain.columns import Array
from services.inference_gateway.domain.routing import assign
from services.inference_gateway.engine.fetch import Fetch
from services.inference_gateway.engine.memory import Memory
from services.inference_gateway.engine.meter import Meter
from services.inference_gateway.engine.reconcile import Arm, Reconciler, named
from services.inference_gateway.engine.score import Score, Work
from services.inference_gateway.engine.shadow import Shadow
from services.inference_gateway.engine.unlogged import Unlogged
from services.inference_gateway.ports import PredictionLog
from slipway.clock import Clock
from slipway.errors import Exhausted, Unavailable


class Predict:
    """The one way to an answer, whatever protocol asks."""

    def __init__(
        self,
        *,
        reconciler: Reconciler,
        fetch: Fetch,
        score: Score,
        shadow: Shadow,
        prediction_log: PredictionLog,
        memory: Memory,
        meter: Meter,
        clock: Clock,
    ) -> None:
        self._reconciler = reconciler
        self._fetch = fetch
        self._score = score
        self._shadow = shadow
        self._log = prediction_log
        self._memory = memory
        self._meter = meter
        self._unlogged = Unlogged(meter, clock)
        self._clock = clock

    async def predictions(self, batch: Batch) -> list[Prediction]:
        """Every row's answer, in order; a row whose id was answered before gets that answer.

        Raises InvalidInput, EndpointNotFound, NotReady, PredictionIdReused, FeaturesUnavailable, QueueFull,
        ModelFailed, WorkerDied, PredictionTooLarge.
        """
        check_batch(batch)
        if not batch.ids:
            answers = await self.answers(batch)
            return _in_order(batch.rows, {}, answers)
        marks = digests(batch)
        async with self._memory.claim(batch.ids, marks) as claim:
            fresh = np.array(claim.fresh, dtype=np.int64)
            if not len(fresh):
                return [claim.known[row] for row in range(batch.rows)]
            part = batch if len(fresh) == batch.rows else batch.take(fresh)
            answers = await self.answers(part, tuple(marks[row] for row in claim.fresh))
            for answer, _ in answers:
                self._memory.remember(predictions(answer), answer.digests)
            return _in_order(batch.rows, claim.known, [(answer, fresh[rows]) for answer, rows in answers])

    async def by_one(self, batch: Batch, version: str = "") -> Answer:
        """The whole batch answered by one version: the one named, else the arm that its first row falls to.

        For protocols whose reply names a single version, and whose callers give every column: nothing is read.
        Raises as :meth:`predictions`, and VersionNotServed.
        """
        check_batch(batch)
        ids = _made_ids(batch.rows)
        every = self._reconciler.arms(batch.endpoint)
        arm, _ = _split(batch.take(np.arange(1)), ids[:1], named(batch.endpoint, every, version))[0]
        [(answer, _)] = await self._all(Work(batch, ids), every, [(arm, np.arange(batch.rows))])
        return answer

    async def answers(self, batch: Batch, marks: tuple[bytes, ...] = ()) -> list[tuple[Answer, Array]]:
        """One answer a version, with the rows (indices into the batch) that it holds; logged before it returns."""
        arms = self._reconciler.arms(batch.endpoint)
        ids = batch.ids or _made_ids(batch.rows)
        parts = _split(batch, ids, arms)
        answering = [arm.runner.spec.signature for arm, _ in parts]
        shadows = [arm.runner.spec.signature for arm in arms if arm.route.shadow]
        online = await self._fetch.read(batch, answering, shadows)
        return await self._all(Work(batch, ids, marks, online), arms, parts)

    async def _all(
        self, work: Work, arms: Sequence[Arm], parts: Sequence[tuple[Arm, Array]]
    ) -> list[tuple[Answer, Array]]:
        began = self._clock.monotonic()
        running = [self._score.answer(work, arm, rows) for arm, rows in parts]
        answers = [await running[0]] if len(running) == 1 else list(await asyncio.gather(*running))
        self._keep(answers)
        for answer in answers:
            self._meter.answered(answer, self._clock.monotonic() - began)
        self._shadow.offer(work, arms, parts)
        return [(answer, rows) for answer, (_, rows) in zip(answers, parts, strict=True)]

    def _keep(self, answers: Sequence[Answer]) -> None:
        try:
            self._log.append(answers, self._clock.now())
        except (Exhausted, Unavailable) as error:
            # The promise to applications outranks the log: answers go on, and what is missing is counted and said.
            self._unlogged.missed(sum(answer.batch.rows for answer in answers), error.message)
        else:
            self._unlogged.kept()


def _made_ids(rows: int) -> tuple[str, ...]:
    stem = uuid.uuid4().hex
    return tuple(f"{stem}.{row}" for row in range(rows))


def _split(batch: Batch, ids: tuple[str, ...], arms: Sequence[Arm]) -> list[tuple[Arm, Array]]:
    live = [arm for arm in arms if arm.route.weight] or list(arms[:1])
    if len(live) == 1:
        return [(live[0], np.arange(batch.rows))]
    if batch.entity_keys:
        keys = [b"".join(parts) for parts in zip(*(one.encoded_rows() for one in batch.entity_keys), strict=True)]
    else:
        keys = [one.encode() for one in ids]
    chosen = assign(batch.endpoint, keys, [arm.route for arm in live])
    parts = [(arm, np.flatnonzero(chosen == place)) for place, arm in enumerate(live)]
    return [(arm, rows) for arm, rows in parts if len(rows)]


def _in_order(rows: int, known: dict[int, Prediction], answers: Sequence[tuple[Answer, Array]]) -> list[Prediction]:
    if not known and len(answers) == 1:
        return list(predictions(answers[0][0]))
    placed = dict(known)
    for answer, places in answers:
        placed |= dict(zip(places.tolist(), predictions(answer), strict=True))
    return [placed[row] for row in range(rows)]
