"""What an event log refuses."""

from __future__ import annotations

from slipway.errors import InvalidInput, Kind, SlipwayError


class EventTooLarge(InvalidInput):
    """The event is larger than the log takes; nothing of its batch was published."""

    reason = "EVENT_TOO_LARGE"

    def __init__(self, event_id: str, size_bytes: int, limit_bytes: int) -> None:
        super().__init__(
            f"event {event_id} has {size_bytes} bytes, the limit is {limit_bytes}; split it or send a digest",
            facts={
                "event_id": event_id,
                "size_bytes": str(size_bytes),
                "limit_bytes": str(limit_bytes),
            },
        )


class Fenced(SlipwayError):
    """A newer member of the group took over; stop, and commit nothing more."""

    kind = Kind.ABORTED
    reason = "FENCED"

    def __init__(self, group: str) -> None:
        super().__init__(f"another member of group {group} took over; stop this one", facts={"group": group})
        self.group = group


class UnusableLog(SlipwayError):
    """What stands at the log's address is no event log, or one of a newer version."""

    kind = Kind.FAILED_PRECONDITION
    reason = "UNUSABLE_LOG"
