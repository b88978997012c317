"""A span and a duration for every call a server answers, by OpenTelemetry's RPC conventions."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from typing import Any

import grpc
import grpc.aio
from opentelemetry import propagate, trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from slipway.observe.histogram import Histogram
from slipway.observe.spans import are_recorded

_SERVER_FAULTS = {
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.UNIMPLEMENTED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DATA_LOSS,
}


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
        self.labels: dict[str, Any] = {"rpc.system": "grpc", "rpc.service": service, "rpc.method": method}
        self.tracer = tracer
        self._duration = duration
        self._records: bool | None = None

    def call(self, context: grpc.aio.ServicerContext[bytes, bytes], began: float | None = None) -> ServedCall:
        """The telemetry of one call, which continues the caller's trace.

        It ``began`` when ``time.perf_counter`` said so, or begins now.
        """
        return ServedCall(self, context, time.perf_counter() if began is None else began)

    @property
    def records(self) -> bool:
        """Whether spans go anywhere; where none does, a call that brings no trace gets none."""
        if self._records is None:
            self._records = are_recorded(self.tracer)
        return self._records

    def took_each(self, seconds: float, calls: int) -> None:
        """Count calls that were answered together."""
        self._duration.add((*self._place, grpc.StatusCode.OK.name), (seconds,) * calls)

    def took(self, seconds: float, code: grpc.StatusCode) -> None:
        """Count one call."""
        self._duration.add_one((*self._place, code.name), seconds)


class ServedCall:
    """One call's span, current from :meth:`start` to :meth:`finish`."""

    __slots__ = ("_began", "_context", "_current", "_method", "_span")

    def __init__(self, method: MeasuredMethod, context: grpc.aio.ServicerContext[bytes, bytes], began: float) -> None:
        self._method = method
        self._context = context
        self._span: Span = trace.INVALID_SPAN
        self._current: AbstractContextManager[Span] | None = None
        self._began = began

    def start(self) -> None:
        """Begin the span, if anybody will see it or the caller's is to be continued."""
        sent = self._context.invocation_metadata() or ()
        if not self._method.records and not any(key == "traceparent" for key, _ in sent):
            return
        carrier = {key: value for key, value in sent if isinstance(value, str)}
        self._span = self._method.tracer.start_span(
            self._method.name,
            context=propagate.extract(carrier),
            kind=SpanKind.SERVER,
            attributes=self._method.labels,
        )
        self._current = trace.use_span(self._span, end_on_exit=False)
        self._current.__enter__()

    @property
    def trace_id(self) -> str:
        """The trace as 32 hexadecimal digits; empty when it is not traced."""
        context = self._span.get_span_context()
        return format(context.trace_id, "032x") if context.is_valid else ""

    def finish(self, code: grpc.StatusCode, error: BaseException | None = None) -> None:
        """End the span and record the duration under the status code."""
        if self._current is not None:
            self._span.set_attribute("rpc.grpc.status_code", code.value[0])
            if code in _SERVER_FAULTS:
                self._span.set_status(Status(StatusCode.ERROR, code.name))
                if error is not None:
                    self._span.record_exception(error)
            self._current.__exit__(None, None, None)
            self._span.end()
        self._method.took(time.perf_counter() - self._began, code)
