"""The error type and the few kinds of it that every service needs."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar


class Kind(enum.Enum):
    """What went wrong, in the terms of the google.rpc codes; ``rpc`` maps the two one to one."""

    INVALID_ARGUMENT = "invalid_argument"
    NOT_FOUND = "not_found"
    ALREADY_EXISTS = "already_exists"
    FAILED_PRECONDITION = "failed_precondition"
    OUT_OF_RANGE = "out_of_range"
    ABORTED = "aborted"
    RESOURCE_EXHAUSTED = "resource_exhausted"
    CANCELLED = "cancelled"
    DEADLINE_EXCEEDED = "deadline_exceeded"
    UNAVAILABLE = "unavailable"
    UNAUTHENTICATED = "unauthenticated"
    PERMISSION_DENIED = "permission_denied"
    UNIMPLEMENTED = "unimplemented"
    DATA_LOSS = "data_loss"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One field of a request or a configuration, what is wrong with it, and how to mend it."""

    field: str
    description: str


class SlipwayError(Exception):
    """An error that may cross a process boundary intact.

    ``reason`` is UPPER_SNAKE_CASE and stable: programs branch on it. ``message`` is for people and names the
    mend. ``facts`` are strings that programs may read. ``retry_after_s`` is set when trying again can help.
    """

    kind: ClassVar[Kind] = Kind.INTERNAL
    reason: ClassVar[str] = "INTERNAL"

    def __init__(
        self,
        message: str,
        *,
        facts: Mapping[str, str] | None = None,
        violations: Sequence[FieldViolation] = (),
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.facts: dict[str, str] = dict(facts or {})
        self.violations = tuple(violations)
        self.retry_after_s = retry_after_s

    @classmethod
    def rebuild(cls, kind: Kind, reason: str, message: str, **details: object) -> SlipwayError:
        """Make an error of any kind and reason, as a client does from a status it received."""
        rebuilt = type("SlipwayError", (SlipwayError,), {"kind": kind, "reason": reason})
        return rebuilt(message, **details)  # type: ignore[no-any-return]


class InvalidInput(SlipwayError):
    """The caller's input breaks a rule; ``violations`` names each field and its mend."""

    kind = Kind.INVALID_ARGUMENT
    reason = "INVALID_FIELD"


class NotFound(SlipwayError):
    """What the caller named does not exist."""

    kind = Kind.NOT_FOUND
    reason = "NOT_FOUND"


class AlreadyExists(SlipwayError):
    """The name, or the idempotency key with another body, is taken."""

    kind = Kind.ALREADY_EXISTS
    reason = "ALREADY_EXISTS"


class Exhausted(SlipwayError):
    """A declared bound (count, bytes) is reached."""

    kind = Kind.RESOURCE_EXHAUSTED
    reason = "RESOURCE_EXHAUSTED"


class Unavailable(SlipwayError):
    """A part that is needed does not answer now; trying again can help."""

    kind = Kind.UNAVAILABLE
    reason = "UNAVAILABLE"


def invalid_field(field: str, description: str) -> InvalidInput:
    """An :class:`InvalidInput` about one field, ``description`` saying what is wrong and the mend."""
    return InvalidInput(f"{field}: {description}", violations=[FieldViolation(field, description)])
