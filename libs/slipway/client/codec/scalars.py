"""Checks and conversions of single fields, shared by the areas."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from slipway.errors import invalid_field

E = TypeVar("E", bound=enum.StrEnum)
UINT32_MAX = 2**32 - 1
UINT64_MAX = 2**64 - 1


def text(field: str, value: str) -> str:
    """``value``, refused when it is no text that UTF-8 can hold."""
    if not isinstance(value, str):
        raise invalid_field(field, f"is {type(value).__name__}; give a str")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise invalid_field(field, "holds a lone surrogate, which UTF-8 can't; give proper text") from None
    return value


def whole(field: str, value: int, most: int) -> int:
    """``value``, refused unless it is a whole number from 0 to ``most``."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise invalid_field(field, f"is {value!r}; give a whole number from 0 to {most}")
    return value


def figure(field: str, value: float) -> float:
    """``value`` as a float, refused when it is no number."""
    try:
        if not isinstance(value, str):
            return float(value)
    except (TypeError, ValueError, OverflowError):
        pass
    raise invalid_field(field, f"is {value!r}; give a number")


def texts(field: str, values: Mapping[str, str]) -> dict[str, str]:
    """A map of texts, each checked under ``field.key``."""
    return {text(field, key): text(f"{field}.{key}", value) for key, value in values.items()}


def timestamp(field: str, moment: datetime | None) -> Timestamp | None:
    """``moment`` for a message; refused without a time zone, for then it names no moment."""
    if moment is None:
        return None
    if not isinstance(moment, datetime):
        raise invalid_field(field, f"is {type(moment).__name__}; give a datetime with a time zone")
    if moment.tzinfo is None:
        raise invalid_field(field, "has no time zone; give one, such as datetime.now(UTC)")
    made = Timestamp()
    made.FromDatetime(moment)
    return made


def moment(message: Message, field: str) -> datetime | None:
    """The time in ``field``, in UTC and cut to microseconds; None when absent."""
    if not message.HasField(field):
        return None
    found: Timestamp = getattr(message, field)
    return found.ToDatetime(tzinfo=UTC)


class Names(Generic[E]):
    """An enum of the contract and its twin here, whose member names are the contract's without the prefix."""

    def __init__(self, numbers: Any, prefix: str, names: type[E]) -> None:
        self._numbers = numbers
        self._prefix = prefix
        self._names = names

    def number(self, field: str, name: E | str) -> Any:
        """The contract's number of ``name``."""
        try:
            return self._numbers.Value(self._prefix + self._names(name).name)
        except ValueError:
            known = ", ".join(one.value for one in self._names)
            raise invalid_field(field, f"is {name!r}; give one of {known}") from None

    def name(self, number: int) -> E:
        """The member for ``number``; UNSPECIFIED for one that a newer server made up."""
        try:
            return self._names[self._numbers.Name(number).removeprefix(self._prefix)]
        except (ValueError, KeyError):
            return self._names["UNSPECIFIED"]
