"""The protocol's messages as JSON, and JSON's settings as messages."""

from __future__ import annotations

from typing import Any

from google.protobuf.message import Message

from slipway.errors import invalid_field
from slipway.gen.inference import inference_pb2 as pb
from slipway.gen.inference import repository_pb2

_REPOSITORY_KINDS = {"bool_param", "int64_param", "string_param"}


def plain(message: Message) -> dict[str, Any]:
    """Every field by its published name, whole numbers of 64 bits as numbers (protobuf's own JSON has texts)."""
    return {
        field.name: _value(field, getattr(message, field.name))
        for field in message.DESCRIPTOR.fields
        if not field.has_presence or message.HasField(field.name)
    }


def _value(field: Any, value: Any) -> Any:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        kind = field.message_type.fields_by_name["value"]
        return {key: _one(kind, one) for key, one in value.items()}
    return [_one(field, one) for one in value] if field.is_repeated else _one(field, value)


def _one(field: Any, value: Any) -> Any:
    if field.message_type is not None:
        return plain(value)
    return field.enum_type.values_by_number[value].name if field.enum_type is not None else value


def read_parameters(given: Any, field: str) -> dict[str, pb.InferParameter]:
    """The ``parameters`` of a request, a tensor or an output; absent: none. Raises InvalidInput."""
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise invalid_field(field, "is not an object; give names and values")
    return {name: _parameter(f"{field}[{name}]", value) for name, value in given.items()}


def read_repository_parameters(given: Any, field: str) -> dict[str, repository_pb2.ModelRepositoryParameter]:
    """The ``parameters`` of a load or an unload; absent: none. Raises InvalidInput."""
    parameters: dict[str, repository_pb2.ModelRepositoryParameter] = {}
    for name, one in read_parameters(given, field).items():
        kind = one.WhichOneof("parameter_choice") or ""
        if kind not in _REPOSITORY_KINDS:
            raise invalid_field(f"{field}[{name}]", "is no truth value, number of 63 bits, or text")
        parameters[name] = repository_pb2.ModelRepositoryParameter(**{kind: getattr(one, kind)})
    return parameters


def _parameter(field: str, value: Any) -> pb.InferParameter:
    match value:
        case bool():
            return pb.InferParameter(bool_param=value)
        case int() if -(2**63) <= value < 2**63:
            return pb.InferParameter(int64_param=value)
        case int() if 0 <= value < 2**64:
            return pb.InferParameter(uint64_param=value)
        case float():
            return pb.InferParameter(double_param=value)
        case str() if is_unicode(value):
            return pb.InferParameter(string_param=value)
    raise invalid_field(field, "is no truth value, number of 64 bits, or text")


def is_unicode(text: str) -> bool:
    """JSON can escape half of a surrogate pair, which no text of ours may hold."""
    return text.isascii() or not any("\ud800" <= one <= "\udfff" for one in text)
