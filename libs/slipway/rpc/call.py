"""What a servicer's method may ask about the call it answers."""

from __future__ import annotations

from collections.abc import Mapping

import grpc.aio
from opentelemetry import trace

from slipway.rpc import deadline


class Call:
    """One call: its metadata, its peer and the time it has left."""

    def __init__(self, context: grpc.aio.ServicerContext[bytes, bytes]) -> None:
        self._context = context

    @property
    def metadata(self) -> Mapping[str, str | bytes]:
        """What the caller sent beside the message; the last value of a repeated key."""
        return dict(self._context.invocation_metadata() or ())

    @property
    def remaining_s(self) -> float | None:
        """Seconds until the answer is no longer wanted; None on a stream without a deadline."""
        return deadline.remaining()

    @property
    def deadline_s(self) -> float | None:
        """When the answer is no longer wanted, in monotonic seconds; None on a stream without a deadline."""
        return deadline.ends_at()

    @property
    def trace_id(self) -> str:
        """The trace of this call as 32 hexadecimal digits; empty when it is not traced."""
        context = trace.get_current_span().get_span_context()
        return format(context.trace_id, "032x") if context.is_valid else ""
