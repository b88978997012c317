"""One error type, from the rule that was broken to the caller's screen.

Domain code raises a subclass of :class:`SlipwayError` with a kind, a stable reason, a message that is safe
to show, and facts. ``slipway.rpc`` alone maps kinds to gRPC codes; ``slipway.client`` rebuilds the same
error on the other side. Driver text never travels: wrap it, log it, and say what the caller can do.
"""

from slipway.errors.error import (
    AlreadyExists,
    Exhausted,
    FieldViolation,
    InvalidInput,
    Kind,
    NotFound,
    SlipwayError,
    Unavailable,
    invalid_field,
)

__all__ = [
    "AlreadyExists",
    "Exhausted",
    "FieldViolation",
    "InvalidInput",
    "Kind",
    "NotFound",
    "SlipwayError",
    "Unavailable",
    "invalid_field",
]
