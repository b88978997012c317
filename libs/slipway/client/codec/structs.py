"""JSON values in ``google.protobuf.Struct``, which knows one number type: a double."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf.struct_pb2 import ListValue, NullValue, Struct, Value

from slipway.client.codec.scalars import text
from slipway.client.types.training import Json
from slipway.errors import invalid_field

_EXACT = 2**53


def encode_struct(field: str, values: Mapping[str, Json]) -> Struct:
    """Encode a JSON object; refuses, by its path, what JSON or a double can't hold."""
    made = Struct()
    for name, value in values.items():
        made.fields[text(field, name)].CopyFrom(_encode(f"{field}.{name}", value))
    return made


def _encode(field: str, value: Any) -> Value:
    if value is None:
        return Value(null_value=NullValue.NULL_VALUE)
    if isinstance(value, bool):
        return Value(bool_value=value)
    if isinstance(value, int | float):
        return Value(number_value=_number(field, value))
    if isinstance(value, str):
        return Value(string_value=text(field, value))
    if isinstance(value, Mapping):
        return Value(struct_value=encode_struct(field, value))
    if isinstance(value, list | tuple):
        return Value(list_value=ListValue(values=[_encode(f"{field}[{n}]", one) for n, one in enumerate(value)]))
    raise invalid_field(field, f"is {type(value).__name__}; give bool, int, float, str, list, dict or None")


def _number(field: str, value: float) -> float:
    if isinstance(value, int) and abs(value) > _EXACT:
        raise invalid_field(field, f"is {value}, too large to travel exactly as a number; give it as a str")
    return float(value)


def decode_struct(message: Struct) -> dict[str, Json]:
    """Decode a JSON object; whole numbers come back as ints."""
    return {name: _decode(value) for name, value in message.fields.items()}


def _decode(value: Value) -> Json:
    kind = value.WhichOneof("kind")
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() and abs(number) <= _EXACT else number
    if kind == "struct_value":
        return decode_struct(value.struct_value)
    if kind == "list_value":
        return [_decode(one) for one in value.list_value.values]
    if kind == "bool_value":
        return value.bool_value
    return value.string_value if kind == "string_value" else None
