"""The one way to an answer, whatever protocol asks: recall, take in, wait."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import islice

import numpy as np
from opentelemetry.trace import SpanContext

from services.inference_gateway.domain.answer import Prediction
from services.inference_gateway.domain.batch import Batch, Origin, check_batch, digests
from services.inference_gateway.domain.columns import Array
from services.inference_gateway.engine.ask import Ask, Keep, Part
from services.inference_gateway.engine.bundle import Bundle, Tell
from services.inference_gateway.engine.explain import Explain
from services.inference_gateway.engine.intake import Intake
from services.inference_gateway.engine.memory import Memory
from services.inference_gateway.engine.spans import Spans
from slipway.clock import Clock
from slipway.observe.spans import trace_id_of


class Predict:
    """Checks a request, lets it be answered with others, and gives its caller what is its own."""

    def __init__(self, intake: Intake, memory: Memory, clock: Clock, spans: Spans, explain: Explain) -> None:
        self._intake = intake
        self._memory = memory
        self._clock = clock
        self._spans = spans
        self._explain = explain
        self._stem = uuid.uuid4().hex
        self._requests = itertools.count()

    async def predictions(self, batch: Batch) -> Sequence[Prediction]:
        """Every row's answer, in order; a row whose id was answered before gets that answer.

        Raises InvalidInput, EndpointNotFound, NotReady, PredictionIdReused, FeaturesUnavailable, QueueFull, TooLate,
        ModelFailed, WorkerDied, PredictionTooLarge; of an explanation NotExplainable.
        """
        check_batch(batch)
        if batch.explain:
            self._explain.check(batch)
        if not batch.ids:
            return in_order(batch.rows, {}, await self._told(batch, self._made_ids(batch.rows)))
        marks = digests(batch)
        async with self._memory.claim(batch.ids, marks) as claim:
            fresh = np.array(claim.fresh, dtype=np.int64)
            if not len(fresh):
                return [claim.known[row] for row in range(batch.rows)]
            part = batch if len(fresh) == batch.rows else replace(batch.take(fresh), explain=batch.explain)
            own = tuple(marks[row] for row in claim.fresh)
            parts = await self._told(part, part.ids, own, partial(self._remember, own))
            return in_order(batch.rows, claim.known, parts, fresh)

    async def parts(
        self, batch: Batch, *, whole: bool, version: str = "", span: SpanContext | None = None
    ) -> Sequence[Part]:
        """What was answered to a request that brings no ids, in its parts.

        ``span`` is its caller's, the current one if none is given.

        A ``whole`` one is answered by one version: the one named, else the arm that its first row falls to. That is for
        protocols whose reply names a single version, and whose callers give every column: nothing is read. Raises as
        :meth:`predictions`, and VersionNotServed.
        """
        check_batch(batch)
        ids, began_s = self._made_ids(batch.rows), self._clock.monotonic()
        spans = self._spans.current if span is None else self._spans.recorded([span])
        ask = Ask(batch, ids, began_s, whole=whole, version=version, spans=spans)
        return await self._intake.answer(ask)

    def bundle(
        self,
        batch: Batch,
        requests: int,
        tell: Tell,
        *,
        whole: bool,
        version: str = "",
        traces: Sequence[SpanContext] = (),
    ) -> asyncio.Future[None]:
        """Tell what becomes of each of several requests of equally many rows, which follow each other in ``batch``.

        ``traces`` are the spans of their callers, invalid for one without; none: nobody has one.
        Each is answered as by :meth:`parts`. What is given ends when all is told, or with what befalls all of whom
        nothing was told; who does not wait any more cancels it. Raises InvalidInput, EndpointNotFound and QueueFull at
        once.
        """
        check_batch(batch)
        rows, began_s = batch.rows // requests, self._clock.monotonic()
        if traces:
            origins = tuple([Origin(rows, batch.tenant, trace_id_of(one), began_s) for one in traces])
        else:
            origins = (Origin(rows, batch.tenant, "", began_s),) * requests
        ids, spans = self._ids_of_each(requests, rows), self._spans.recorded(traces)
        ask = Bundle(batch.of(origins), ids, began_s, tell, whole=whole, version=version, spans=spans)
        self._intake.begin(ask)
        return ask.answered

    async def _told(
        self, batch: Batch, ids: tuple[str, ...], marks: tuple[bytes, ...] = (), keep: Keep | None = None
    ) -> Sequence[Part]:
        parts = await self._parts(batch, ids, marks, keep)
        return await self._explain.parts(batch, parts) if batch.explain else parts

    async def _parts(
        self, batch: Batch, ids: tuple[str, ...], marks: tuple[bytes, ...] = (), keep: Keep | None = None
    ) -> Sequence[Part]:
        ask = Ask(batch, ids, self._clock.monotonic(), marks=marks, keep=keep, spans=self._spans.current)
        return await self._intake.answer(ask)

    def _remember(self, marks: tuple[bytes, ...], parts: Sequence[Part]) -> None:
        for part in parts:
            own = marks if part.places is None else [marks[row] for row in part.places.tolist()]
            self._memory.remember(part.predictions(), own)

    def _ids_of_each(self, requests: int, rows: int) -> tuple[str, ...]:
        stem, numbers = self._stem, islice(self._requests, requests)
        if rows == 1:
            return tuple([f"{stem}-{number}.0" for number in numbers])
        return tuple([f"{stem}-{number}.{row}" for number in numbers for row in range(rows)])

    def _made_ids(self, rows: int) -> tuple[str, ...]:
        stem = f"{self._stem}-{next(self._requests)}"
        return (f"{stem}.0",) if rows == 1 else tuple([f"{stem}.{row}" for row in range(rows)])


def in_order(
    rows: int, known: dict[int, Prediction], parts: Sequence[Part], fresh: Array | None = None
) -> Sequence[Prediction]:
    """The predictions of a request's rows: those ``known`` by row, and ``parts``, of the ``fresh`` ones (None: all)."""
    if not known and len(parts) == 1:
        return parts[0].predictions()
    placed = dict(known)
    for part in parts:
        places = np.arange(part.end - part.start) if part.places is None else part.places
        if fresh is not None:
            places = fresh[places]
        placed |= dict(zip(places.tolist(), part.predictions(), strict=True))
    return [placed[row] for row in range(rows)]
