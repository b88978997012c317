"""What an event log refuses."""

from __future__ import annotations

from pathlib import Path

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


class ValueLost(SlipwayError):
    """A record is there, and the file beside the log that its value lies in is not."""

    kind = Kind.DATA_LOSS
    reason = "VALUE_LOST"

    def __init__(self, file: Path) -> None:
        super().__init__(
            f"the event log has records whose values lie in {file.parent.name}/{file.name}, which is missing or cut "
            "short; put it back beside the log, or trim its topic",
            facts={"file": file.name},
        )


class UnusableLog(SlipwayError):
    """What stands at the log's address is no event log, or one of a newer version."""

    kind = Kind.FAILED_PRECONDITION
    reason = "UNUSABLE_LOG"
