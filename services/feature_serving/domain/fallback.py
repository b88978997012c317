"""What a fallback must be like, and how it is read."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator

from services.feature_serving.domain.column import LIMITS
from services.feature_serving.domain.moments import EARLIEST_US, LATEST_US
from services.feature_serving.domain.status import Status
from services.feature_serving.domain.view import Fallback, Feature, ValueType
from slipway.errors import FieldViolation

MAX_TEXT = 6_000
# Bytes that are no value are a fault, which nothing is to hide.
_REPLACEABLE = frozenset({Status.NULL_VALUE, Status.NOT_FOUND, Status.OUTSIDE_MAX_AGE})
_single = struct.Struct("<f")


def fallback_faults(field: str, feature: Feature) -> Iterator[FieldViolation]:
    """A violation for each part of the fallback of ``feature`` that it can't have. Its value is of the right shape."""
    if (fallback := feature.fallback) is None:
        return
    for status in sorted(fallback.replaces - _REPLACEABLE):
        told = f"names {status.name}; give NULL_VALUE, NOT_FOUND, OUTSIDE_MAX_AGE, or none for the last two"
        yield FieldViolation(f"{field}.fallback_for", told)
    value, path = fallback.value, f"{field}.fallback"
    if isinstance(value, float) and not math.isfinite(value):
        yield FieldViolation(path, f"is {value}; give a finite number, or leave it out for a null")
    elif isinstance(value, str) and len(value) > MAX_TEXT:
        yield FieldViolation(path, f"has {len(value)} characters; at most {MAX_TEXT} are kept")
    elif feature.type is ValueType.TIMESTAMP and not EARLIEST_US <= value <= LATEST_US:
        yield FieldViolation(path, f"is {value} microseconds since 1970; give a moment of the years 1 to 9999")
    elif feature.type in LIMITS:
        sound, told = LIMITS[feature.type]
        if not sound(value):
            yield FieldViolation(path, f"{value!r} {told}")


def as_read(feature: Feature) -> Fallback | None:
    """The fallback as a stored value of the feature would be read: single precision is all that a FLOAT keeps."""
    if feature.fallback is None or feature.type is not ValueType.FLOAT:
        return feature.fallback
    [value] = _single.unpack(_single.pack(feature.fallback.value))
    return Fallback(value, feature.fallback.replaces)
