"""Inference requests and responses between the protocol's JSON and its protobuf messages."""

from __future__ import annotations

import math
import sys
from collections.abc import Set
from itertools import chain
from typing import Any

import numpy as np

from services.inference_gateway.api.infer_settings import value_of
from services.inference_gateway.api.rest_binary import Tail
from services.inference_gateway.api.rest_json import is_unicode, read_parameters
from services.inference_gateway.domain.columns import Array
from services.inference_gateway.domain.signature import DTYPES, FLOATS, RANGES, DataType
from services.inference_gateway.domain.tensors import pack_raw, unpack_raw
from slipway.errors import InvalidInput, invalid_field
from slipway.gen.inference import inference_pb2 as pb

_TAKES: dict[DataType, tuple[type, ...]] = {
    DataType.BOOL: (bool,),
    DataType.BYTES: (str,),
    **dict.fromkeys(RANGES, (int,)),
    **dict.fromkeys(FLOATS, (int, float)),
}
_NOT_SERVED = {"BF16": "is 'BF16', which is not served, for numpy has no such type; let the model cast from FP32"}
_SHOWN_SIZES = 9
_SHOWN_LETTERS = 40
_MOST_SIZES = 32  # more than any tensor has


def decode_infer(model: str, version: str, body: dict[str, Any], tail: Tail | None = None) -> pb.ModelInferRequest:
    """The message of a JSON body, its tensors in raw form; those with a ``binary_data_size`` lie in the ``tail``.

    ``data`` is flat, or nested as the shape says. A null in it is an absent number or the empty text.
    Raises InvalidInput naming the entry that is wrong.
    """
    tail = tail or Tail(memoryview(b""))
    request = pb.ModelInferRequest(
        model_name=model,
        model_version=version,
        id=_text(body, "id", "id"),
        parameters=read_parameters(body.get("parameters"), "parameters"),
    )
    for position, entry in enumerate(_list(body, "inputs", "inputs")):
        field = f"inputs[{position}]"
        if not isinstance(entry, dict):
            raise invalid_field(field, "is not an object; give name, datatype, shape and data")
        kind = _datatype(f"{field}.datatype", entry.get("datatype"))
        shape = _shape(f"{field}.shape", entry)
        parameters = read_parameters(entry.get("parameters"), f"{field}.parameters")
        size = parameters.pop("binary_data_size", None)
        name = _text(entry, "name", f"{field}.name")
        request.inputs.add(name=name, datatype=kind, shape=shape, parameters=parameters)
        request.raw_input_contents.append(
            _raw(f"{field}.data", kind, entry, shape) if size is None else tail.take(size, field)
        )
    tail.finish()
    for position, entry in enumerate(_list(body, "outputs", "outputs") if body.get("outputs") else []):
        field = f"outputs[{position}]"
        if not isinstance(entry, dict):
            raise invalid_field(field, "is not an object; give its name")
        parameters = read_parameters(entry.get("parameters"), f"{field}.parameters")
        request.outputs.add(name=_text(entry, "name", f"{field}.name"), parameters=parameters)
    return request


def _raw(field: str, kind: DataType, entry: dict[str, Any], shape: list[int]) -> bytes:
    return pack_raw(kind, _array(field, kind, _flat(field, _list(entry, "data", field), shape)))


def encode_infer(response: pb.ModelInferResponse, binary: Set[str] = frozenset()) -> dict[str, Any]:
    """The JSON of a response; NaN and infinities become null, which JSON can hold.

    Of the outputs named by ``binary`` it tells the size.
    """
    outputs: list[dict[str, Any]] = []
    for tensor, raw in zip(response.outputs, response.raw_output_contents, strict=True):
        told = {"name": tensor.name, "datatype": tensor.datatype, "shape": list(tensor.shape)}
        if tensor.name in binary:
            outputs.append({**told, "parameters": {"binary_data_size": len(raw)}})
            continue
        array = unpack_raw(DataType(tensor.datatype), tuple(tensor.shape), raw)
        values = [None if isinstance(one, float) and not math.isfinite(one) else one for one in array.ravel().tolist()]
        outputs.append({**told, "data": values})
    return {
        "model_name": response.model_name,
        "model_version": response.model_version,
        "id": response.id,
        "parameters": {name: value_of(one) for name, one in response.parameters.items()},
        "outputs": outputs,
    }


def _text(body: dict[str, Any], key: str, field: str) -> str:
    value = body.get(key, "")
    if not isinstance(value, str) or not is_unicode(value):
        raise invalid_field(field, "is not a text")
    return value


def _list(body: dict[str, Any], key: str, field: str) -> list[Any]:
    value = body.get(key)
    if not isinstance(value, list):
        raise invalid_field(field, "is missing or not a list")
    return value


def _shape(field: str, entry: dict[str, Any]) -> list[int]:
    shape = _list(entry, "shape", field)
    # Before anybody multiplies them: the product of many sizes is a number that takes minutes.
    if len(shape) > _MOST_SIZES:
        raise invalid_field(field, f"has {len(shape)} sizes; give at most {_MOST_SIZES}")
    for position, size in enumerate(shape):
        if type(size) is not int or not 0 <= size < 2**31:
            raise invalid_field(field, f"has {_shown(size)} at {position}; give whole numbers from 0 on")
    return shape


def _shown(value: object) -> str:
    """A value of JSON in a few words: a text of a list may be as long and as deep as the caller likes."""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    text = repr(value)
    return text if len(text) <= _SHOWN_LETTERS else f"{text[:_SHOWN_LETTERS]}…"


def _datatype(field: str, name: object) -> DataType:
    if not isinstance(name, str) or name not in set(DataType):
        told = f"is {_shown(name)}; give one of {', '.join(DataType)}"
        raise invalid_field(field, _NOT_SERVED.get(name, told) if isinstance(name, str) else told)
    return DataType(name)


def _flat(field: str, data: list[Any], shape: list[int]) -> list[Any]:
    for size in shape[1:] or [1]:
        if not data or type(data[0]) is not list:
            break
        for position, one in enumerate(data):
            if type(one) is not list or len(one) != size:
                raise invalid_field(
                    f"{field}[{position}]", f"is not {size} long, as shape {shape[:_SHOWN_SIZES]} has it"
                )
        data = list(chain.from_iterable(data))
    if len(data) != math.prod(shape):
        raise invalid_field(field, f"has {len(data)} values, which do not fill shape {shape[:_SHOWN_SIZES]}")
    return data


def _array(field: str, kind: DataType, data: list[Any]) -> Array:
    nothing: set[type] = {type(None)} if kind in FLOATS or kind is DataType.BYTES else set()
    if not set(map(type, data)) <= {*_TAKES[kind], *nothing}:
        raise _wrong(field, kind, data)
    if kind is DataType.BYTES:
        data = ["" if value is None else value for value in data]
        if not all(map(is_unicode, data)):
            raise _wrong(field, kind, data)
    try:
        with np.errstate(over="ignore"):  # an infinity is refused with its row
            return np.array(data, dtype=DTYPES[kind])
    except OverflowError:
        raise _wrong(field, kind, data) from None


def _wrong(field: str, kind: DataType, data: list[Any]) -> InvalidInput:
    """The error that names the first value which is none of ``kind``."""
    for place, value in enumerate(data):
        if value is None and kind in FLOATS | {DataType.BYTES}:
            continue
        if type(value) not in _TAKES[kind]:
            return invalid_field(f"{field}[{place}]", f"is {_shown(value)}, not {kind}")
        if not _fits(kind, value):
            return invalid_field(f"{field}[{place}]", f"does not fit {kind}")
    return invalid_field(field, f"holds a value that does not fit {kind}")


def _fits(kind: DataType, value: Any) -> bool:
    if kind in RANGES:
        return value in RANGES[kind]
    if kind is DataType.BYTES:
        return is_unicode(value)
    # An integer of any length is JSON; a float is at most this.
    return not isinstance(value, int) or abs(value) <= sys.float_info.max
