"""Tensors of the Open Inference Protocol, typed or raw, to feature columns and back."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Any, NoReturn

import numpy as np

from services.inference_gateway.domain.batch import MAX_ROWS
from services.inference_gateway.domain.columns import Array, Column
from services.inference_gateway.domain.packed import unpacked
from services.inference_gateway.domain.signature import DTYPES, KINDS, ColumnSpec, DataType, Signature
from services.inference_gateway.domain.tensors import BadRaw, kind_of, pack_raw, unpack_raw
from slipway.errors import invalid_field
from slipway.gen.inference import inference_pb2 as pb

CONTENTS = {
    DataType.BOOL: "bool_contents",
    DataType.INT32: "int_contents",
    DataType.INT64: "int64_contents",
    DataType.FP32: "fp32_contents",
    DataType.FP64: "fp64_contents",
    DataType.BYTES: "bytes_contents",
    **dict.fromkeys((DataType.INT8, DataType.INT16), "int_contents"),
    **dict.fromkeys((DataType.UINT8, DataType.UINT16, DataType.UINT32), "uint_contents"),
    DataType.UINT64: "uint64_contents",
}
# What the numbers of a field may be; whether they fit the column's type is the column's to say.
_WIDE = {"int_contents": np.dtype(np.int32), "uint_contents": np.dtype(np.uint32)}
_PACKED = {
    kind: pb.InferTensorContents.DESCRIPTOR.fields_by_name[CONTENTS[kind]].number
    for kind in (DataType.FP32, DataType.FP64)
}
_SHOWN_SIZES = 9
_SHOWN_LETTERS = 100


def decode_columns(request: pb.ModelInferRequest, signature: Signature) -> tuple[tuple[Column, ...], int]:
    """The request's feature columns and its rows. Raises InvalidInput naming the input that is wrong."""
    raw = request.raw_input_contents
    if not request.inputs:
        raise invalid_field("inputs", "is empty; give one tensor a feature column, see ModelMetadata")
    if raw and len(raw) != len(request.inputs):
        raise invalid_field("raw_input_contents", f"has {len(raw)} entries for {len(request.inputs)} inputs")
    specs = signature.columns
    if len(request.inputs) > len(specs):
        _refuse_surplus(request, specs)
    columns = []
    for position, tensor in enumerate(request.inputs):
        field = f"inputs[{position}]"
        spec = specs.get(tensor.name)
        if spec is None:
            raise invalid_field(f"{field}.name", _stranger(tensor.name, specs))
        rows = _check(field, tensor, spec, raw=bool(raw))
        values = _values(field, tensor, spec, rows, raw[position] if raw else None)
        columns.append(Column(tensor.name, KINDS[spec.datatype], values))
    return tuple(columns), len(columns[0].values)


def _refuse_surplus(request: pb.ModelInferRequest, specs: Collection[str]) -> NoReturn:
    """Name the first input that is too many, before the others cost anything."""
    seen: set[str] = set()
    for tensor in request.inputs:
        if tensor.name in seen:
            raise invalid_field(f"inputs[{tensor.name}]", "stands twice; give each column once")
        if tensor.name not in specs:
            break
        seen.add(tensor.name)
    position = len(seen)
    raise invalid_field(f"inputs[{position}].name", _stranger(request.inputs[position].name, specs))


def _stranger(name: str, specs: Collection[str]) -> str:
    return f"{name[:_SHOWN_LETTERS]!r} is not a feature; the version takes {', '.join(list(specs)[:20])}"


def _check(field: str, tensor: pb.ModelInferRequest.InferInputTensor, spec: ColumnSpec, *, raw: bool) -> int:
    """How many rows a tensor has that is as its column wants it."""
    if tensor.datatype != spec.datatype:
        raise invalid_field(f"{field}.datatype", f"is {tensor.datatype!r}; column {spec.name!r} takes {spec.datatype}")
    rows, *others = shape = tuple(tensor.shape) or (0,)
    fits = shape[1:] == spec.shape or (not spec.shape and others == [1])
    if not fits or not 1 <= rows <= MAX_ROWS:
        sizes = "".join(f", {size}" for size in spec.shape)
        taken = f"[rows{sizes}]" if spec.shape else "[rows] or [rows, 1]"
        raise invalid_field(
            f"{field}.shape",
            f"is {list(tensor.shape)[:_SHOWN_SIZES]}; column {spec.name!r} is {taken} with 1 to {MAX_ROWS} rows",
        )
    if raw and tensor.HasField("contents"):
        raise invalid_field(f"{field}.contents", "stands beside raw_input_contents; give one of the two")
    return rows


def _values(
    field: str, tensor: pb.ModelInferRequest.InferInputTensor, spec: ColumnSpec, rows: int, raw: bytes | None
) -> Array:
    shape = (rows, *spec.shape)
    try:
        if raw is not None:
            return unpack_raw(spec.datatype, shape, raw)
        return _typed(tensor.contents, spec.datatype, shape)
    except BadRaw as error:
        where = "raw_input_contents" if raw is not None else f"{field}.contents"
        raise invalid_field(f"{where}[{spec.name}]", str(error)) from error


def _typed(contents: pb.InferTensorContents, kind: DataType, shape: tuple[int, ...]) -> Array:
    name = CONTENTS.get(kind)
    if name is None:
        raise BadRaw(f"can't hold {kind}, which travels raw only; give raw_input_contents")
    given: Sequence[Any] = getattr(contents, name)
    count = math.prod(shape)
    if len(given) != count:
        raise BadRaw(f"has {len(given)} values in {name} where shape {list(shape)} has {count}")
    if kind is DataType.BYTES:
        try:
            given = [value.decode() for value in given]
        except UnicodeDecodeError as error:
            raise BadRaw("holds bytes that are not UTF-8 text") from error
    if kind in _PACKED:
        found = unpacked(contents.SerializeToString(), count, DTYPES[kind], _PACKED[kind])
        if found is not None:
            return found.reshape(shape)
    # From an iterator: numpy asks a repeated field of protobuf for every protocol that it might be.
    return np.fromiter(given, _WIDE.get(name, DTYPES[kind]), count).reshape(shape)


def encode_output(response: pb.ModelInferResponse, name: str, array: Array) -> None:
    """Add an output in raw form, the one that every client reads."""
    kind = kind_of(array)
    response.outputs.add(name=name, datatype=kind, shape=array.shape)
    response.raw_output_contents.append(pack_raw(kind, array))
