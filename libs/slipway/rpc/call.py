"""What a servicer's method may ask about the call it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import grpc.aio
from opentelemetry import trace

from slipway.observe.spans import trace_id_of
from slipway.rpc import deadline

Gate = Callable[[str, "Call"], str]
"""Names who makes a call to a method (its full name), or raises a SlipwayError; asked before the message is parsed."""


class Call:
    """One call: its metadata, who makes it and the time it has left.

    ``principal`` is whom the service's gate took the caller for; empty where there is no gate, or it let anybody pass.
    ``exempt`` says that the latter is so.
    """

    def __init__(self, context: grpc.aio.ServicerContext[bytes, bytes]) -> None:
        self._context = context
        self.principal = ""
        self.exempt = False

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
        return trace_id_of(trace.get_current_span().get_span_context())
