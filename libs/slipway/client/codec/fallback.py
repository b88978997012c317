"""Fallbacks of features: Python values into the contract's, by the feature's type, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from slipway.client.codec.scalars import Names, text
from slipway.client.types.features import Feature, FeatureStatus, OnlineScalar, ValueType
from slipway.errors import invalid_field
from slipway.gen.slipway.features.v1 import resources_pb2 as res

STATUSES = Names(res.FeatureStatus, "FEATURE_STATUS_", FeatureStatus)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_INT64 = range(-(2**63), 2**63)
# What is taken for each type, and the field that holds it.
_TAKES: Mapping[ValueType, tuple[str, Callable[[Any], bool], str]] = {
    ValueType.BOOL: ("bool_value", lambda one: isinstance(one, bool), "a bool"),
    **dict.fromkeys(
        (ValueType.INT32, ValueType.INT64),
        ("int64_value", lambda one: type(one) is int and one in _INT64, "an int of 64 bits"),
    ),
    **dict.fromkeys(
        (ValueType.FLOAT, ValueType.DOUBLE),
        ("double_value", lambda one: isinstance(one, int | float) and not isinstance(one, bool), "a number"),
    ),
    ValueType.STRING: ("string_value", lambda one: isinstance(one, str), "a str"),
    ValueType.TIMESTAMP: (
        "timestamp_us",
        lambda one: isinstance(one, datetime) and one.tzinfo is not None,
        "a datetime with a time zone",
    ),
}


def encode_fallback(feature: Feature, made: res.Feature, field: str) -> None:
    """Say the fallback of ``feature`` in ``made``. Raises InvalidInput: a value of another type."""
    made.fallback_for.extend(
        STATUSES.number(f"{field}.fallback_for[{n}]", one) for n, one in enumerate(feature.fallback_for)
    )
    value: Any = feature.fallback
    kind = ValueType(feature.type)
    # A type that is none is the service's to refuse.
    if value is None or kind not in _TAKES:
        return
    name, takes, wanted = _TAKES[kind]
    if not takes(value):
        raise invalid_field(f"{field}.fallback", f"is {value!r:.80}, but the feature is {kind.value}; give {wanted}")
    if isinstance(value, datetime):
        value = (value - _EPOCH) // _MICROSECOND
    elif isinstance(value, str):
        value = text(f"{field}.fallback", value)
    setattr(made.fallback, name, value)


def decode_scalar(message: res.Scalar) -> OnlineScalar:
    """Decode one value; None where a newer server says it in a way that is unknown here."""
    kind = message.WhichOneof("value")
    if kind is None:
        return None
    if kind == "timestamp_us":
        return _EPOCH + message.timestamp_us * _MICROSECOND
    value: OnlineScalar = getattr(message, kind)
    return value
