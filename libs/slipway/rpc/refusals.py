"""What a server refuses by itself, before or beside its servicers."""

from __future__ import annotations

from slipway.errors import InvalidInput, Kind, SlipwayError


class MalformedMessage(InvalidInput):
    """The bytes are not the message that the method takes."""

    reason = "MALFORMED_MESSAGE"


class DeadlineExceeded(SlipwayError):
    """The answer was not ready in the time the caller gave, or the server's maximum."""

    kind = Kind.DEADLINE_EXCEEDED
    reason = "DEADLINE_EXCEEDED"


class Draining(SlipwayError):
    """The server is stopping; another one, or this one in a moment, will answer."""

    kind = Kind.UNAVAILABLE
    reason = "DRAINING"

    def __init__(self) -> None:
        super().__init__("the server is stopping; call again", retry_after_s=0.2)


class Internal(SlipwayError):
    """A defect of the server; its log has the details under the trace."""

    kind = Kind.INTERNAL
    reason = "INTERNAL"

    def __init__(self, method: str, trace_id: str) -> None:
        super().__init__(
            f"{method} failed; the server's log has the details under trace {trace_id}", facts={"trace_id": trace_id}
        )
