"""What is counted of batches: of arms for their guardrails, of versions and endpoints for whoever looks."""

from __future__ import annotations

from collections.abc import Sequence

from services.inference_gateway.domain.answer import Answer
from services.inference_gateway.domain.guardrail import why_unsound
from services.inference_gateway.domain.signature import Tensors
from services.inference_gateway.domain.worker_errors import ARM_FAULTS
from services.inference_gateway.engine.ask import Ask
from services.inference_gateway.engine.chunk import Chunk
from services.inference_gateway.engine.meter import Meter, Times
from services.inference_gateway.engine.reconcile import Reconciler
from services.inference_gateway.engine.spans import Spans
from services.inference_gateway.engine.statistics import Run, Statistics
from slipway.clock import Clock


class Accounts:
    """Tells the guardrails, the statistics, the metrics and the traces. No caller is to wait for it."""

    def __init__(
        self, reconciler: Reconciler, *, meter: Meter, statistics: Statistics, spans: Spans, clock: Clock
    ) -> None:
        self._reconciler = reconciler
        self._meter = meter
        self._statistics = statistics
        self._spans = spans
        self._clock = clock

    def ran(self, chunks: Sequence[Chunk], outputs: Sequence[Tensors], times: Times, apart_s: float) -> None:
        """A version answered these chunks with ``outputs`` each, which took ``apart_s`` to be with their requests."""
        for chunk, mine in zip(chunks, outputs, strict=True):
            batch, arm = chunk.batch, chunk.arm
            sound = why_unsound(arm.runner.spec.signature, mine)
            seconds = None if chunk.shadow else times.ended_s - batch.origins[0].began_s
            self._reconciler.observe(batch.endpoint, arm.route, sound, seconds=seconds, rows=batch.rows)
        rows = sum([chunk.rows for chunk in chunks])
        self._count(chunks, rows, times, apart_s)
        self._meter.ran(chunks[0].arm.runner.spec.key, rows, times)
        self._spans.answered(chunks, times)

    def told(self, answers: Sequence[Answer], times: Times) -> None:
        """Callers were given these."""
        for answer in answers:
            if not answer.shadow:
                self._meter.answered(answer, times)

    def broke(self, chunk: Chunk, error: BaseException) -> None:
        """An arm failed on a batch: its guardrail is to know."""
        if isinstance(error, ARM_FAULTS):
            self._reconciler.observe(chunk.batch.endpoint, chunk.arm.route, error.message)

    def failed(self, chunk: Chunk, error: BaseException) -> None:
        """Its requests get an error."""
        self.unanswered(chunk, [share.ask for share in chunk.shares])
        self._spans.failed(chunk, error)

    def unanswered(self, chunk: Chunk, asks: Sequence[Ask]) -> None:
        """Count requests of a chunk that get no answer from its version, though they are as it wants them."""
        if chunk.shadow or not (asks := [ask for ask in asks if ask.waits]):
            return
        now = self._clock.monotonic()
        self._statistics.failed(
            chunk.batch.endpoint,
            chunk.arm.runner.spec.key,
            requests=sum([ask.requests for ask in asks]),
            total_ns=_ns(sum([(now - ask.began_s) * ask.requests for ask in asks])),
        )

    def _count(self, chunks: Sequence[Chunk], rows: int, times: Times, apart_s: float) -> None:
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
        waits = [ended_s - origin.began_s for chunk in chunks for origin in chunk.batch.origins]
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


def _ns(seconds: float) -> int:
    return int(seconds * 1e9) if seconds > 0.0 else 0
