"""A span and a duration for every call a server answers, by OpenTelemetry's RPC conventions."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from typing import Any

import grpc
import grpc.aio
from opentelemetry import metrics, propagate, trace
from opentelemetry.metrics import Histogram
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

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
        self._duration = metrics.get_meter("slipway.rpc").create_histogram(
            "rpc.server.duration", unit="s", description="Time from a call's arrival to its status."
        )

    def call(self, service: str, method: str, context: grpc.aio.ServicerContext[bytes, bytes]) -> ServedCall:
        """The telemetry of one call, which continues the caller's trace."""
        return ServedCall(self._tracer, self._duration, service, method, context)


class ServedCall:
    """One call's span, current from ``__enter__`` to :meth:`finish`."""

    def __init__(
        self,
        tracer: trace.Tracer,
        duration: Histogram,
        service: str,
        method: str,
        context: grpc.aio.ServicerContext[bytes, bytes],
    ) -> None:
        self._tracer = tracer
        self._duration = duration
        self._labels: dict[str, Any] = {"rpc.system": "grpc", "rpc.service": service, "rpc.method": method}
        self._context = context
        self._began = 0.0
        self._span: Span = trace.INVALID_SPAN
        self._current: AbstractContextManager[Span] | None = None

    def __enter__(self) -> ServedCall:
        self._began = time.perf_counter()
        carrier = {key: value for key, value in self._context.invocation_metadata() or () if isinstance(value, str)}
        self._span = self._tracer.start_span(
            f"{self._labels['rpc.service']}/{self._labels['rpc.method']}",
            context=propagate.extract(carrier),
            kind=SpanKind.SERVER,
            attributes=self._labels,
        )
        self._current = trace.use_span(self._span, end_on_exit=False)
        self._current.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the ending to :meth:`finish`, which knows the status."""

    @property
    def trace_id(self) -> str:
        """The trace as 32 hexadecimal digits; empty when it is not traced."""
        context = self._span.get_span_context()
        return format(context.trace_id, "032x") if context.is_valid else ""

    def finish(self, code: grpc.StatusCode, error: BaseException | None = None) -> None:
        """End the span and record the duration under the status code."""
        self._span.set_attribute("rpc.grpc.status_code", code.value[0])
        if code in _SERVER_FAULTS:
            self._span.set_status(Status(StatusCode.ERROR, code.name))
            if error is not None:
                self._span.record_exception(error)
        if self._current is not None:
            self._current.__exit__(None, None, None)
        self._span.end()
        self._duration.record(time.perf_counter() - self._began, {**self._labels, "rpc.grpc.status_code": code.name})
