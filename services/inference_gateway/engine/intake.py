"""Taking requests in: those of one turn of the event loop become waves, and a wave the chunks of its arms."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from services.inference_gateway.domain.batch import MAX_ROWS
from services.inference_gateway.domain.errors import FeatureTypeMismatch
from services.inference_gateway.domain.features import Online
from services.inference_gateway.domain.merge import layout
from services.inference_gateway.engine.ask import Ask, Chunk
from services.inference_gateway.engine.dispatch import Dispatch
from services.inference_gateway.engine.fetch import Fetch
from services.inference_gateway.engine.reconcile import Arm, Reconciler, named
from services.inference_gateway.engine.wave import Wave
from slipway.clock import Clock
from slipway.errors import SlipwayError

log = logging.getLogger(__name__)


class Intake:
    """Works on all requests that came in one turn of the loop at once; none waits for another to come.

    A wave sees one snapshot of the configuration. Whatever is wrong with one request is told to its caller alone.
    """

    def __init__(self, reconciler: Reconciler, fetch: Fetch, dispatch: Dispatch, clock: Clock) -> None:
        self._reconciler = reconciler
        self._fetch = fetch
        self._dispatch = dispatch
        self._clock = clock
        self._waiting: list[Ask] = []
        self._reading: set[asyncio.Task[None]] = set()
        # A wave is nobody's call: it has neither one caller's deadline nor one caller's trace.
        self._nobody = contextvars.Context()

    def take_in(self, ask: Ask) -> None:
        """Let a request be answered; ``ask.answered`` tells when, or why not."""
        self._waiting.append(ask)
        if len(self._waiting) == 1:
            asyncio.get_running_loop().call_soon(self._begin, context=self._nobody)

    def _begin(self) -> None:
        asks, self._waiting = self._waiting, []
        for alike in self._grouped(asks):
            try:
                self._start(alike)
            except Exception as error:
                log.exception("a wave failed by a defect")
                _fail(alike, error)

    def _grouped(self, asks: Sequence[Ask]) -> Iterable[list[Ask]]:
        """The requests that can be one wave, in order; none is larger than one request may be."""
        groups: dict[object, list[Ask]] = {}
        rows: dict[object, int] = {}
        full: list[list[Ask]] = []
        now = self._clock.monotonic()
        for ask in asks:
            key = (layout(ask.batch), ask.whole, ask.version, _patience(ask.batch.deadline_s, now))
            group = groups.setdefault(key, [])
            rows[key] = rows.get(key, 0) + ask.batch.rows
            if group and rows[key] > MAX_ROWS:
                full.append(group)
                groups[key], rows[key] = [ask], ask.batch.rows
            else:
                group.append(ask)
        return [*full, *groups.values()]

    def _start(self, asks: list[Ask]) -> None:
        try:
            wave = Wave.of(asks, self._reconciler.arms(asks[0].batch.endpoint))
            reads = wave.reads
        except SlipwayError as error:
            self._apart(asks, error)
            return
        if not reads:
            self._spread(wave, None if wave.whole else Online({}))
            return
        task = asyncio.get_running_loop().create_task(self._read(wave), name="features of a wave")
        self._reading.add(task)
        task.add_done_callback(self._reading.discard)

    async def _read(self, wave: Wave) -> None:
        try:
            left_s = None if wave.deadline_s is None else wave.deadline_s - self._clock.monotonic()
            online = await self._fetch.read(wave.batch, wave.signatures, wave.shadow_signatures, left_s)
            self._spread(wave, online)
        except SlipwayError as error:
            self._apart(wave.asks, error)
        except Exception as error:
            log.exception("reading the features of a wave failed by a defect")
            _fail(wave.asks, error)

    def _spread(self, wave: Wave, online: Online | None) -> None:
        """Hand every arm its rows. A request that does not suit its arm fails alone."""
        for arm, rows in wave.parts:
            try:
                chunks = [wave.chunk(arm, rows, online)]
            except SlipwayError as error:
                if len(wave.asks) == 1:
                    self._refuse(wave, arm, error)
                    return
                chunks = self._each_alone(wave, arm, rows, online)
            for chunk in chunks:
                self._offer(chunk)

    def _each_alone(self, wave: Wave, arm: Arm, rows: object, online: Online | None) -> list[Chunk]:
        chunks = []
        for ask, own in wave.by_ask(rows):
            try:
                chunks.append(wave.chunk(arm, own, online, alone=ask))
            except SlipwayError as error:
                self._observe(wave, arm, error)
                ask.fail(error)
        return chunks

    def _refuse(self, wave: Wave, arm: Arm, error: SlipwayError) -> None:
        self._observe(wave, arm, error)
        _fail(wave.asks, error)

    def _observe(self, wave: Wave, arm: Arm, error: SlipwayError) -> None:
        if isinstance(error, FeatureTypeMismatch):
            self._reconciler.observe(wave.batch.endpoint, arm.route, error.message)

    def _offer(self, chunk: Chunk) -> None:
        try:
            self._dispatch.offer(chunk)
        except SlipwayError as error:
            _fail([share.ask for share in chunk.shares], error)

    def _apart(self, asks: Sequence[Ask], error: SlipwayError) -> None:
        """What several requests fail by together may be the fault of one."""
        if len(asks) == 1:
            asks[0].fail(error)
            return
        for ask in asks:
            self._start([ask])


def _fail(asks: Iterable[Ask], error: BaseException) -> None:
    for ask in asks:
        ask.fail(error)


def _patience(deadline_s: float | None, now: float) -> int:
    """Requests that wait about equally long, by powers of two: one in a hurry makes no other one hurry."""
    if deadline_s is None:
        return 99
    return math.frexp(max(deadline_s - now, 1e-3))[1]
