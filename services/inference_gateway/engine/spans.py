"""What a trace shows of a request between its call and its answer: the reading of features, and its batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, Status, StatusCode

from services.inference_gateway.engine.ask import Ask
from services.inference_gateway.engine.chunk import Chunk
from services.inference_gateway.engine.meter import Times
from slipway.clock import Clock
from slipway.observe.spans import are_recorded

_IDS = RandomIdGenerator()


class Spans:
    """Makes the spans of waves and batches; none, at the price of a look, where none is recorded.

    What many requests share is one span: a child of the first one's, with links to all of theirs. Every other
    request's trace has a span ``batched``, which links to it.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tracer = trace.get_tracer("slipway.inference_gateway")
        self._on = are_recorded()

    @property
    def current(self) -> Sequence[SpanContext | None]:
        """The span of the call that is being answered; none where nobody records it."""
        return self.recorded([trace.get_current_span().get_span_context()]) if self._on else ()

    def recorded(self, spans: Sequence[SpanContext]) -> Sequence[SpanContext | None]:
        """Those of this process's spans that are recorded, None for each of the others; none where none is."""
        if not (self._on and any(one.trace_flags.sampled for one in spans)):
            return ()
        return [one if one.trace_flags.sampled else None for one in spans]

    @contextmanager
    def reading(self, asks: Sequence[Ask]) -> Iterator[None]:
        """Around the one question for the features of these requests."""
        if not self._on:
            yield
            return
        traced = _traced(asks)
        if not traced:
            with trace.use_span(_nobody_looks()):
                yield
            return
        facts = {"slipway.endpoint": asks[0].batch.endpoint, **_size(asks)}
        with self._tracer.start_as_current_span(
            "features", context=_under(traced[0]), links=_links(traced), attributes=facts
        ):
            yield

    def answered(self, chunks: Sequence[Chunk], times: Times) -> None:
        """A worker ran a batch."""
        if not self._on:
            return
        traced = _traced([share.ask for chunk in chunks for share in chunk.shares])
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
        traced = _traced([share.ask for share in chunk.shares]) if self._on else ()
        if not traced:
            return
        wall = self._wall()
        ended = wall(self._clock.monotonic())
        batch = self._begun("batch", _under(traced[0]), wall(traced[0].began_s), _links(traced), _facts([chunk]))
        batch.record_exception(error)
        batch.set_status(Status(StatusCode.ERROR, type(error).__name__))
        batch.end(ended)
        self._lead_to(batch, traced[1:], ended)

    def _lead_to(self, batch: Span, others: Sequence[_Traced], ended: int) -> None:
        wall, links = self._wall(), [Link(batch.get_span_context())]
        for one in others:
            facts = {"slipway.rows": one.rows, "slipway.requests": 1}
            self._begun("batched", _under(one), wall(one.began_s), links, facts).end(ended)

    def _begun(
        self, name: str, under: Context, start: int, links: Sequence[Link] = (), facts: Mapping[str, Any] | None = None
    ) -> Span:
        return self._tracer.start_span(name, context=under, links=links, attributes=facts, start_time=start)

    def _wall(self) -> _Wall:
        return _Wall(self._clock)


class _Traced(NamedTuple):
    """A request that somebody records: its caller's span, when it began in monotonic seconds, and its rows."""

    span: SpanContext
    began_s: float
    rows: int


class _Wall:
    """Turns monotonic seconds into nanoseconds since 1970."""

    def __init__(self, clock: Clock) -> None:
        self._ahead_s = clock.now().timestamp() - clock.monotonic()

    def __call__(self, monotonic_s: float) -> int:
        return int((monotonic_s + self._ahead_s) * 1e9)


def _traced(asks: Sequence[Ask]) -> list[_Traced]:
    """The requests that somebody records, from the first that began."""
    found = [
        _Traced(span, ask.began_s, ask.rows // ask.requests) for ask in asks for span in ask.spans if span is not None
    ]
    found.sort(key=lambda one: one.began_s)
    return found


def _nobody_looks() -> Span:
    """What lets another service know that nobody wants to see what it is asked: without, it might begin a trace."""
    return NonRecordingSpan(SpanContext(_IDS.generate_trace_id(), _IDS.generate_span_id(), is_remote=False))


def _under(one: _Traced) -> Context:
    return trace.set_span_in_context(NonRecordingSpan(one.span), Context())


def _links(traced: Sequence[_Traced]) -> list[Link]:
    return [Link(one.span) for one in traced]


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
