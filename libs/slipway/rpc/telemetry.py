"""A span and a duration for every call a server answers, by OpenTelemetry's RPC conventions."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

import grpc
import grpc.aio
from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, Status, StatusCode

from slipway.observe.histogram import Histogram
from slipway.observe.spans import are_recorded, trace_id_of

_SERVER_FAULTS = {
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.UNIMPLEMENTED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DATA_LOSS,
}

PARENT = "traceparent"
"""What a caller sends with its trace."""


class Telemetry:
    """Starts the span of each call and records how long it took, in seconds."""

    def __init__(self) -> None:
        self._tracer = trace.get_tracer("slipway.rpc")
        self._duration = Histogram(
            "rpc_server_duration_seconds",
            "Time from a call's arrival to its status.",
            ("rpc_service", "rpc_method", "rpc_grpc_status_code"),
        ).served()

    def method(self, service: str, method: str) -> MeasuredMethod:
        """The telemetry of one method's calls."""
        return MeasuredMethod(self._tracer, self._duration, service, method)


class MeasuredMethod:
    """What the calls of one method have in common."""

    def __init__(self, tracer: trace.Tracer, duration: Histogram, service: str, method: str) -> None:
        self.name = f"{service}/{method}"
        self._place = (service, method)
        self._labels: dict[str, Any] = {"rpc.system": "grpc", "rpc.service": service, "rpc.method": method}
        self._tracer = tracer
        self._duration = duration
        self._records: bool | None = None

    def call(
        self, context: grpc.aio.ServicerContext[bytes, bytes], began: float | None = None, span: Span = INVALID_SPAN
    ) -> ServedCall:
        """The telemetry of one call, which continues the caller's trace.

        It ``began`` when ``time.perf_counter`` said so, and has the ``span`` that was begun then; or it begins now.
        """
        return ServedCall(self, context, time.perf_counter() if began is None else began, span)

    @property
    def records(self) -> bool:
        """Whether spans go anywhere; where none does, a call that brings no trace gets none."""
        if self._records is None:
            self._records = are_recorded()
        return self._records

    def begin(self, sent: Mapping[str, str]) -> Span:
        """The span of a call by what its caller ``sent``; an invalid one where it has no trace, and is to get none."""
        continued = PARENT in sent
        if not (continued or self.records):
            return INVALID_SPAN
        parent = propagate.extract(sent) if sent else Context()
        span = self._tracer.start_span(self.name, context=parent, kind=SpanKind.SERVER, attributes=self._labels)
        return span if continued or span.is_recording() else INVALID_SPAN

    def end(self, span: Span, code: grpc.StatusCode, error: BaseException | None = None) -> None:
        """End a call's span by its status."""
        if span is INVALID_SPAN:
            return
        span.set_attribute("rpc.grpc.status_code", code.value[0])
        if code in _SERVER_FAULTS:
            span.set_status(Status(StatusCode.ERROR, code.name))
            if error is not None:
                span.record_exception(error)
        span.end()

    def took_each(self, seconds: float, calls: int) -> None:
        """Count calls that were answered together."""
        self._duration.add((*self._place, grpc.StatusCode.OK.name), (seconds,) * calls)

    def took(self, seconds: float, code: grpc.StatusCode) -> None:
        """Count one call."""
        self._duration.add_one((*self._place, code.name), seconds)


class ServedCall:
    """One call's span, current from :meth:`start` to :meth:`finish`."""

    __slots__ = ("_began", "_context", "_current", "_method", "_span")

    def __init__(
        self, method: MeasuredMethod, context: grpc.aio.ServicerContext[bytes, bytes], began: float, span: Span
    ) -> None:
        self._method = method
        self._context = context
        self._span = span
        self._current: AbstractContextManager[Span] | None = None
        self._began = began

    def start(self) -> None:
        """Begin the span, if anybody will see it or the caller's is to be continued."""
        sent = self._context.invocation_metadata() or ()
        self._span = self._method.begin({key: value for key, value in sent if isinstance(value, str)})
        if self._span is not INVALID_SPAN:
            self._current = trace.use_span(self._span, end_on_exit=False)
            self._current.__enter__()

    @property
    def trace_id(self) -> str:
        """The trace as 32 hexadecimal digits; empty when it is not traced."""
        return trace_id_of(self._span.get_span_context())

    def finish(self, code: grpc.StatusCode, error: BaseException | None = None) -> None:
        """End the span and record the duration under the status code."""
        if self._current is not None:
            self._current.__exit__(None, None, None)
        self._method.end(self._span, code, error)
        self._method.took(time.perf_counter() - self._began, code)
