"""Moments of the contract, and the registry's."""

from __future__ import annotations

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from slipway.errors import invalid_field


def stamp(moment: datetime) -> Timestamp:
    """A moment as the contract has it."""
    made = Timestamp()
    made.FromDatetime(moment)
    return made


def moment(field: str, given: Timestamp) -> datetime:
    """A moment of a request. Raises InvalidInput about ``field`` when no calendar has it."""
    try:
        return given.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise invalid_field(field, "is no moment of the years 1 to 9999; give one") from None
