"""What a trace shows of a request between its call and its answer: the reading of features, and its batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, Link, NonRecordingSpan, Span, SpanContext, Status, StatusCode

from services.inference_gateway.engine.ask import Ask
from services.inference_gateway.engine.chunk import Chunk
from services.inference_gateway.engine.meter import Times
from slipway.clock import Clock
from slipway.observe.spans import are_recorded


class Spans:
    """Makes the spans of waves and batches; none, at the price of a look, where none is recorded.

    What many requests share is one span: a child of the first one's, with links to all of theirs. Every other
    request's trace has a span ``batched``, which links to it.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tracer = trace.get_tracer("slipway.inference_gateway")
        self._on = are_recorded(self._tracer)

    @property
    def current(self) -> SpanContext | None:
        """The span of the call that is being answered; None where nobody records it."""
        if not self._on:
            return None
        span = trace.get_current_span()
        return span.get_span_context() if span.is_recording() else None

    @contextmanager
    def reading(self, asks: Sequence[Ask]) -> Iterator[None]:
        """Around the one question for the features of these requests."""
        traced = self._traced(asks)
        if not traced:
            yield
            return
        facts = {"slipway.endpoint": traced[0].batch.endpoint, **_size(asks)}
        with self._tracer.start_as_current_span(
            "features", context=_under(traced[0]), links=_links(traced), attributes=facts
        ):
            yield

    def answered(self, chunks: Sequence[Chunk], times: Times) -> None:
        """A worker ran a batch."""
        if not self._on:
            return
        traced = self._traced([share.ask for chunk in chunks for share in chunk.shares])
        if not traced:
            return
        wall = self._wall()
        began_s = traced[0].began_s
        batch = self._begun("batch", _under(traced[0]), wall(began_s), _links(traced), _facts(chunks))
        inside = trace.set_span_in_context(batch, Context())
        self._begun("queue", inside, wall(began_s)).end(wall(times.began_s))
        compute = self._begun("compute", inside, wall(times.began_s))
        # The worker tells how long, not when; what it does after the model is little.
        model = trace.set_span_in_context(compute, Context())
        ran = self._begun("onnxruntime.run", model, wall(max(times.ended_s - times.ran_s, times.began_s)))
        ran.end(wall(times.ended_s))
        compute.end(wall(times.ended_s))
        batch.end(wall(times.ended_s))
        self._lead_to(batch, traced[1:], wall(times.ended_s))

    def failed(self, chunk: Chunk, error: BaseException) -> None:
        """A batch, or a request of it, got no answer."""
        traced = self._traced([share.ask for share in chunk.shares]) if self._on else ()
        if not traced:
            return
        wall = self._wall()
        ended = wall(self._clock.monotonic())
        batch = self._begun("batch", _under(traced[0]), wall(traced[0].began_s), _links(traced), _facts([chunk]))
        batch.record_exception(error)
        batch.set_status(Status(StatusCode.ERROR, type(error).__name__))
        batch.end(ended)
        self._lead_to(batch, traced[1:], ended)

    def _traced(self, asks: Sequence[Ask]) -> list[Ask]:
        if not self._on:
            return []
        return sorted([ask for ask in asks if ask.span is not None], key=lambda ask: ask.began_s)

    def _lead_to(self, batch: Span, asks: Sequence[Ask], ended: int) -> None:
        wall, links = self._wall(), [Link(batch.get_span_context())]
        for ask in asks:
            self._begun("batched", _under(ask), wall(ask.began_s), links, _size([ask])).end(ended)

    def _begun(
        self, name: str, under: Context, start: int, links: Sequence[Link] = (), facts: Mapping[str, Any] | None = None
    ) -> Span:
        return self._tracer.start_span(name, context=under, links=links, attributes=facts, start_time=start)

    def _wall(self) -> _Wall:
        return _Wall(self._clock)


class _Wall:
    """Turns monotonic seconds into nanoseconds since 1970."""

    def __init__(self, clock: Clock) -> None:
        self._ahead_s = clock.now().timestamp() - clock.monotonic()

    def __call__(self, monotonic_s: float) -> int:
        return int((monotonic_s + self._ahead_s) * 1e9)


def _under(ask: Ask) -> Context:
    span = INVALID_SPAN if ask.span is None else NonRecordingSpan(ask.span)
    return trace.set_span_in_context(span, Context())


def _links(asks: Sequence[Ask]) -> list[Link]:
    return [Link(ask.span) for ask in asks if ask.span is not None]


def _facts(chunks: Sequence[Chunk]) -> dict[str, Any]:
    arm = chunks[0].arm
    shares = [share for chunk in chunks for share in chunk.shares]
    return {
        "slipway.endpoint": chunks[0].batch.endpoint,
        "slipway.model": arm.route.version.model,
        "slipway.version": arm.route.version.number,
        "slipway.route": arm.route.name,
        "slipway.rows": sum([share.rows for share in shares]),
        "slipway.requests": sum([share.ask.requests for share in shares]),
    }


def _size(asks: Sequence[Ask]) -> dict[str, Any]:
    return {"slipway.rows": sum([ask.rows for ask in asks]), "slipway.requests": sum([ask.requests for ask in asks])}
