"""What follows an answer or a failure of a batch: the log, then the callers, then the shadows; and the guardrails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from services.inference_gateway.domain.answer import Answer
from services.inference_gateway.domain.desired import VersionKey
from services.inference_gateway.domain.errors import NotReady
from services.inference_gateway.domain.guardrail import why_unsound
from services.inference_gateway.domain.signature import Tensors
from services.inference_gateway.domain.worker_errors import ARM_FAULTS
from services.inference_gateway.engine.ask import Ask, Part
from services.inference_gateway.engine.chunk import Chunk
from services.inference_gateway.engine.fallback import DEFAULT_ROUTE, Fallback
from services.inference_gateway.engine.meter import Meter, Times
from services.inference_gateway.engine.reconcile import Reconciler
from services.inference_gateway.engine.settled import Settled
from services.inference_gateway.engine.shadow_queue import ShadowQueue
from services.inference_gateway.engine.spans import Spans
from services.inference_gateway.engine.statistics import Run, Statistics
from services.inference_gateway.engine.unlogged import Unlogged
from services.inference_gateway.ports import PredictionLog
from slipway.clock import Clock
from slipway.errors import Exhausted, SlipwayError, Unavailable


class Settle:
    """Logs before it answers. What nobody waits for any more is not logged: nobody was answered."""

    def __init__(
        self,
        reconciler: Reconciler,
        prediction_log: PredictionLog,
        shadows: ShadowQueue,
        *,
        meter: Meter,
        statistics: Statistics,
        spans: Spans,
        clock: Clock,
    ) -> None:
        self._reconciler = reconciler
        self._log = prediction_log
        self._shadows = shadows
        self._meter = meter
        self._statistics = statistics
        self._spans = spans
        self._clock = clock
        self._unlogged = Unlogged(meter, clock)
        self.fallback = Fallback(reconciler)

    def draft(self, chunks: Sequence[Chunk]) -> None:
        """Have the log write what it can while the model computes, for then nobody waits for this process."""
        for chunk in chunks:
            if chunk.draft:
                continue  # these very rows are tried again
            chunk.draft = self._log.draft(_answer(chunk, {}, 0.0))

    def failed(self, chunk: Chunk, error: BaseException) -> None:
        """A batch, or a request of it, got no answer; or the endpoint's default one."""
        self.broke(chunk, error)
        if (outputs := self.fallback.default(chunk, error)) is not None:
            now = self._clock.monotonic()
            answer = replace(_answer(chunk, outputs, now), version=0, route=DEFAULT_ROUTE, fallback=True)
            one = Settled.of(chunk, answer)
            self._keep([one])
            self._finish(replace(one, chunks=[]), Times(now, 0.0, now))
            return
        self.unanswered(chunk, [share.ask for share in chunk.shares])
        self._spans.failed(chunk, error)
        for share in chunk.shares:
            share.ask.fail(error)

    def unready(self, ask: Ask, error: NotReady) -> None:
        """Nothing is loaded that could take a request: it gets the endpoint's default answer, or the error."""
        now = self._clock.monotonic()
        try:
            answer = self.fallback.unready(ask, error, now)
        except SlipwayError as wrong:
            ask.fail(wrong)
            return
        if answer is None:
            ask.fail(error)
            return
        ask.parts.append(Part(answer, 0, ask.rows))
        one = Settled([], [answer], [ask])
        self._keep([one])
        self._finish(one, Times(now, 0.0, now))

    def broke(self, chunk: Chunk, error: BaseException) -> None:
        """An arm failed on a batch: its guardrail is to know."""
        if isinstance(error, ARM_FAULTS):
            self._reconciler.observe(chunk.batch.endpoint, chunk.arm.route, error.message)

    def answered(self, chunks: Sequence[Chunk], outputs: Tensors, times: Times) -> None:
        """A version answered the rows of these chunks, one after the other."""
        start, settled = 0, []
        for chunk in chunks:
            batch, arm = chunk.batch, chunk.arm
            end = start + batch.rows
            mine = outputs if len(chunks) == 1 else {name: array[start:end] for name, array in outputs.items()}
            start = end
            sound = why_unsound(arm.runner.spec.signature, mine)
            seconds = None if chunk.shadow else times.ended_s - batch.origins[0].began_s
            self._reconciler.observe(batch.endpoint, arm.route, sound, seconds=seconds, rows=batch.rows)
            settled.append(Settled.of(chunk, _answer(chunk, mine, times.ended_s)))
        self._count(chunks, start, times)
        self._keep(settled)
        self._meter.ran(chunks[0].arm.runner.spec.key, start, times)
        self._spans.answered(chunks, times)
        for one in settled:
            self._finish(one, times)

    def _count(self, chunks: Sequence[Chunk], rows: int, times: Times) -> None:
        # The outputs are with their requests by now.
        apart_s = self._clock.monotonic() - times.ended_s
        run = Run(
            rows,
            _ns(times.packed_s),
            _ns(max(times.took_s - times.packed_s - times.unpacked_s, times.ran_s)),
            _ns(times.unpacked_s + apart_s),
        )
        if len(chunks) == 1:
            if not chunks[0].shadow:
                self._count_of(chunks, run, times.ended_s, apart_s)
            return
        for endpoint in {chunk.batch.endpoint for chunk in chunks if not chunk.shadow}:
            mine = [one for one in chunks if one.batch.endpoint == endpoint and not one.shadow]
            self._count_of(mine, run, times.ended_s, apart_s)

    def _count_of(self, chunks: Sequence[Chunk], run: Run, ended_s: float, apart_s: float) -> None:
        """Count chunks of one endpoint."""
        waits = [ended_s - share.ask.began_s for chunk in chunks for share in chunk.shares]
        requests = len(waits)
        total_ns = _ns(sum(waits) + requests * apart_s)
        self._statistics.answered(
            chunks[0].batch.endpoint,
            chunks[0].arm.runner.spec.key,
            run,
            requests=requests,
            rows=sum([chunk.rows for chunk in chunks]),
            total_ns=total_ns,
            queue_ns=max(0, total_ns - requests * run.ns),
        )

    def unanswered(self, chunk: Chunk, asks: Sequence[Ask]) -> None:
        """Count requests of a chunk that get no answer from its version, though they are as it wants them."""
        if chunk.shadow or not (asks := [ask for ask in asks if ask.waits]):
            return
        now = self._clock.monotonic()
        self._statistics.failed(
            chunk.batch.endpoint,
            chunk.arm.runner.spec.key,
            requests=len(asks),
            total_ns=_ns(sum([now - ask.began_s for ask in asks])),
        )

    def _finish(self, one: Settled, times: Times) -> None:
        for answer in one.answers:
            if not answer.shadow:
                self._meter.answered(answer, times)
        for ask in one.asks:
            ask.complete()
        if one.answers:
            for chunk in one.chunks:
                self._shadows.offer(chunk)

    def _keep(self, settled: Sequence[Settled]) -> None:
        answers = settled[0].answers if len(settled) == 1 else [answer for one in settled for answer in one.answers]
        if not answers:
            return
        try:
            self._log.append(answers, self._clock.now())
        except (Exhausted, Unavailable) as error:
            # The promise to applications outranks the log: answers go on, and what is missing is counted and said.
            self._unlogged.missed(sum([answer.batch.rows for answer in answers if not answer.shadow]), error.message)
            for answer in answers:
                if answer.shadow:
                    self._shadows.lose(VersionKey(answer.model, answer.version), answer.batch.rows, error.message)
        except SlipwayError as error:
            self._keep_each(settled, error)
        else:
            self._unlogged.kept()

    def _keep_each(self, settled: Sequence[Settled], error: SlipwayError) -> None:
        """An answer is too large for the log: whose it is gets the error, and the others their answers."""
        if len(settled) == 1 and len(settled[0].asks) == 1:
            settled[0].asks[0].fail(error)
            settled[0].answers.clear()
            return
        for one in settled:
            alone = one.each()
            for request in alone:
                self._keep([request])
            one.answers[:] = [answer for request in alone for answer in request.answers]


def _ns(seconds: float) -> int:
    return int(seconds * 1e9) if seconds > 0.0 else 0


def _answer(chunk: Chunk, outputs: Tensors, ended_s: float) -> Answer:
    spec = chunk.arm.runner.spec
    answer = Answer(
        chunk.batch,
        chunk.ids,
        chunk.marks,
        spec.key.model,
        spec.key.number,
        chunk.arm.route.name,
        chunk.inputs,
        outputs,
        chunk.view_times,
        chunk.degraded,
        chunk.shadow,
        ended_s,
        # Who scores behind another's answer exposes nobody.
        "" if chunk.shadow else chunk.arm.route.experiment,
        chunk.fallback,
        chunk.fallbacks,
    )
    answer.draft = chunk.draft
    return answer
