"""Taking requests in: those that wait at an endpoint become waves, and a wave the chunks of its arms."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence

from services.inference_gateway.domain.columns import Array
from services.inference_gateway.domain.errors import NotReady, QueueFull
from services.inference_gateway.domain.fair_queue import Bounds, FairQueue
from services.inference_gateway.domain.feature_errors import FeatureTypeMismatch
from services.inference_gateway.domain.features import Online
from services.inference_gateway.engine.arm import Arm
from services.inference_gateway.engine.ask import Ask, Part, each
from services.inference_gateway.engine.chunk import Chunk
from services.inference_gateway.engine.dispatch import Dispatch
from services.inference_gateway.engine.fetch import Fetch
from services.inference_gateway.engine.grouping import grouped
from services.inference_gateway.engine.line import Line
from services.inference_gateway.engine.reconcile import Reconciler
from services.inference_gateway.engine.spans import Spans
from services.inference_gateway.engine.wave import Wave
from slipway.clock import Clock
from slipway.errors import SlipwayError

log = logging.getLogger(__name__)


_READING = 2  # waves of an endpoint whose features are being read; what comes meanwhile is read together


class Intake:
    """Makes a wave of what waits at an endpoint as soon as its main version has room for one.

    So nothing waits while a worker idles, and what comes while all are busy goes together. A wave sees one snapshot
    of the configuration. Whatever is wrong with one request is told to its caller alone.
    """

    def __init__(
        self,
        reconciler: Reconciler,
        fetch: Fetch,
        dispatch: Dispatch,
        clock: Clock,
        *,
        bounds: Bounds,
        wave_rows: int,
        gather_s: float,
        spans: Spans,
        weights: Mapping[str, float] | None = None,
    ) -> None:
        """``bounds`` are of what waits at an endpoint, ``weights`` the tenants' shares of it.

        ``gather_s`` is the longest that requests wait for others that are known to call as well, 0 for never.
        """
        self._reconciler = reconciler
        self._fetch = fetch
        self._dispatch = dispatch
        self._clock = clock
        self._bounds = bounds
        self._wave_rows = wave_rows
        self._spans = spans
        self._weights = weights
        self._lines: dict[str, Line] = {}
        self._reading: set[asyncio.Task[None]] = set()
        self._gather_s = gather_s
        self._due: set[Line] = set()
        """Those that wait for a worker."""
        dispatch.on_room = self._on_room

    def waiting(self, endpoint: str) -> tuple[int, int]:
        """How many requests wait at an endpoint, and their rows."""
        line = self._lines.get(endpoint)
        return (0, 0) if line is None else (len(line.queue), line.queue.rows)

    async def answer(self, ask: Ask) -> Sequence[Part]:
        """What was answered to a request, when all of it is.

        Raises EndpointNotFound, NotReady, QueueFull where too much waits, and whatever a request can fail by.
        """
        line = self._come(ask)
        try:
            await ask.answered
        finally:
            if line is not None:
                line.leave(ask.requests)
        return ask.parts

    def begin(self, ask: Ask) -> None:
        """The same for all who came at once, and look at what becomes of them. Raises EndpointNotFound, QueueFull."""
        line = self._come(ask, at_once=True)
        if line is not None:
            ask.answered.add_done_callback(lambda _: line.leave(ask.requests))

    def _come(self, ask: Ask, *, at_once: bool = False) -> Line | None:
        """Let a request wait for its wave; None where it waits for none, for nothing is there to answer it."""
        name = ask.batch.endpoint
        try:
            self._reconciler.arms(name)
        except NotReady as error:
            self._dispatch.refuse(ask, error)
            return None
        line = self._lines.get(name) or self._new_line(name)
        _wait(line.queue, ask)
        line.open += ask.requests
        try:
            if line not in self._due:
                line.gathering.came(line.open, ask.requests, at_once=at_once)
        except BaseException:
            ask.answered.cancel()
            line.leave(ask.requests)
            raise
        return line

    def _new_line(self, name: str) -> Line:
        queue: FairQueue[Ask] = FairQueue(name, self._bounds, self._weights)
        line = self._lines[name] = Line(name, queue, self._begin, self._gather_s)
        return line

    def _on_room(self) -> None:
        for line in tuple(self._due):
            self._begin(line)

    def _begin(self, line: Line) -> None:
        while len(line.queue) and self._has_room(line):
            for alike in grouped(line.queue.take(self._wave_rows, _gone), self._clock.monotonic()):
                self._begin_wave(line, alike)
        if len(line.queue):
            self._due.add(line)
        else:
            self._due.discard(line)

    def _has_room(self, line: Line) -> bool:
        try:
            arms = self._reconciler.arms(line.name)
        except SlipwayError:
            return True  # those who wait are to hear it
        return line.reading < _READING and self._dispatch.has_room(max(arms, key=_weight).runner)

    def _begin_wave(self, line: Line, asks: list[Ask]) -> None:
        try:
            self._start(line, asks)
        except Exception as error:
            log.exception("a wave failed by a defect")
            _fail(asks, error)

    def _start(self, line: Line, asks: Sequence[Ask]) -> None:
        try:
            wave = Wave.of(asks, self._reconciler.arms(asks[0].batch.endpoint))
            reads = wave.reads
        except SlipwayError as error:
            self._apart(line, asks, error)
            return
        if not reads:
            self._spread(wave, None if wave.whole else Online({}))
            return
        task = asyncio.get_running_loop().create_task(self._read(line, wave), name="features of a wave")
        line.reading += 1
        self._reading.add(task)
        task.add_done_callback(self._reading.discard)

    async def _read(self, line: Line, wave: Wave) -> None:
        try:
            left_s = None if wave.deadline_s is None else wave.deadline_s - self._clock.monotonic()
            with self._spans.reading(wave.asks):
                online = await self._fetch.read(wave.batch, wave.signatures, wave.shadow_signatures, left_s)
            self._spread(wave, online)
        except SlipwayError as error:
            self._apart(line, wave.asks, error)
        except Exception as error:
            log.exception("reading the features of a wave failed by a defect")
            _fail(wave.asks, error)
        finally:
            line.reading -= 1
            self._on_room()

    def _spread(self, wave: Wave, online: Online | None) -> None:
        """Hand every arm its rows. A request that does not suit its arm fails alone."""
        for arm, rows in wave.parts:
            try:
                chunks = [wave.chunk(arm, rows, online)]
            except SlipwayError as error:
                if wave.alone:
                    self._refuse(wave, arm, error)
                    return
                chunks = self._each_alone(wave, arm, rows, online)
            for chunk in chunks:
                self._offer(chunk)

    def _each_alone(self, wave: Wave, arm: Arm, rows: Array | None, online: Online | None) -> list[Chunk]:
        chunks = []
        for ask, own, _ in wave.by_ask(rows):
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

    def _apart(self, line: Line, asks: Sequence[Ask], error: SlipwayError) -> None:
        """What several requests fail by together may be the fault of one."""
        apart = each(asks)
        if len(apart) == 1:
            apart[0].fail(error)
            return
        for ask in apart:
            self._start(line, [ask])


def _wait(queue: FairQueue[Ask], ask: Ask) -> None:
    """Let a request wait; of several as many as may. Raises QueueFull where none may."""
    try:
        queue.push(ask)
    except QueueFull:
        if ask.requests == 1:
            raise
        for one in ask.apart():
            try:
                queue.push(one)
            except QueueFull as error:
                one.fail(error)


def _gone(ask: Ask) -> bool:
    return ask.answered.done()


def _weight(arm: Arm) -> int:
    return arm.route.weight


def _fail(asks: Iterable[Ask], error: BaseException) -> None:
    for ask in asks:
        ask.fail(error)
