"""Whether spans go anywhere, and how a trace is named."""

from __future__ import annotations

from opentelemetry import trace
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanContext


def are_recorded() -> bool:
    """Whether some spans may be recorded: where none is, making them is work for nobody."""
    return getattr(trace.get_tracer_provider(), "sampler", ALWAYS_OFF) is not ALWAYS_OFF


def trace_id_of(span: SpanContext) -> str:
    """The trace of a span as 32 hexadecimal digits; empty when it is in none."""
    return format(span.trace_id, "032x") if span.is_valid else ""
