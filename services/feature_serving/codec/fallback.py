"""Fallbacks of features."""

from __future__ import annotations

from typing import Any

from services.feature_serving.domain.column import SHAPES, Shape
from services.feature_serving.domain.status import Status
from services.feature_serving.domain.view import USUAL, Fallback, Feature, ValueType
from slipway.errors import invalid_field
from slipway.gen.slipway.features.v1 import resources_pb2

_FIELDS = {
    Shape.BOOLS: "bool_value",
    Shape.INT64S: "int64_value",
    Shape.DOUBLES: "double_value",
    Shape.STRINGS: "string_value",
    Shape.TIMESTAMPS: "timestamp_us",
}


def decode_fallback(field: str, message: resources_pb2.Feature, kind: ValueType) -> Fallback | None:
    """The fallback of a feature of that type. Raises InvalidInput about its fields under ``field``."""
    if not message.HasField("fallback"):
        if message.fallback_for:
            raise invalid_field(f"{field}.fallback_for", "is given without a fallback; give one, or leave it out")
        return None
    given, wanted = message.fallback.WhichOneof("value"), _FIELDS[SHAPES[kind]]
    if given != wanted:
        holds = f"holds {given}" if given else "holds no value"
        raise invalid_field(f"{field}.fallback", f"{holds}, but the feature is {kind}; give {wanted}")
    replaces = frozenset(_status(f"{field}.fallback_for[{n}]", number) for n, number in enumerate(message.fallback_for))
    return Fallback(getattr(message.fallback, wanted), replaces or USUAL)


def _status(field: str, number: int) -> Status:
    try:
        return Status(number)
    except ValueError:
        raise invalid_field(field, "is not set or not known; give NULL_VALUE, NOT_FOUND or OUTSIDE_MAX_AGE") from None


def encode_fallback(feature: Feature, message: resources_pb2.Feature) -> None:
    """Say the fallback of ``feature``, if it has one, in the contract's words."""
    if (fallback := feature.fallback) is not None:
        message.fallback.CopyFrom(encode_scalar(fallback.value, SHAPES[feature.type]))
        message.fallback_for.extend(sorted(fallback.replaces))  # type: ignore[arg-type]  # they have its numbers


def encode_scalar(value: Any, shape: Shape) -> resources_pb2.Scalar:
    """One value as the contract has it."""
    made = resources_pb2.Scalar()
    setattr(made, _FIELDS[shape], value)
    return made
