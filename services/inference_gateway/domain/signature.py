"""What a version takes: holding a request's columns to it, and turning them into tensors."""

from __future__ import annotations

import difflib
import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from services.inference_gateway.domain.columns import Array, Column, ValueKind
from slipway.errors import FieldViolation, InvalidInput

_SHOWN_ROWS = 5


class DataType(enum.StrEnum):
    """The types of columns and tensors, by their names in the Open Inference Protocol."""

    BOOL = "BOOL"
    INT32 = "INT32"
    INT64 = "INT64"
    FP32 = "FP32"
    FP64 = "FP64"
    BYTES = "BYTES"


DTYPES = {
    DataType.BOOL: np.dtype(np.bool_),
    DataType.INT32: np.dtype(np.int32),
    DataType.INT64: np.dtype(np.int64),
    DataType.FP32: np.dtype(np.float32),
    DataType.FP64: np.dtype(np.float64),
    DataType.BYTES: np.dtype(object),
}
_FLOATS = {DataType.FP32, DataType.FP64}
_INTEGERS = {DataType.INT32, DataType.INT64}
_TAKES = {
    DataType.BOOL: {ValueKind.BOOL},
    DataType.INT32: {ValueKind.INT64},
    DataType.INT64: {ValueKind.INT64},
    DataType.FP32: {ValueKind.DOUBLE, ValueKind.INT64},
    DataType.FP64: {ValueKind.DOUBLE, ValueKind.INT64},
    DataType.BYTES: {ValueKind.STRING},
}


@dataclass(frozen=True, slots=True)
class ColumnSpec:
    """One feature column that a version takes."""

    name: str
    datatype: DataType
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One tensor that a version gives; -1 in the shape stands for the rows of the batch."""

    name: str
    datatype: DataType
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Signature:
    """What a version takes, in the model's order, and gives."""

    inputs: tuple[ColumnSpec, ...]
    outputs: tuple[TensorSpec, ...]


Tensors = dict[str, Array]
"""Arrays of shape [rows], of the signature's types; absence is NaN or the empty text."""


def conform(signature: Signature, columns: Sequence[Column], rows: int) -> Tensors:
    """The version's feature columns from a request's. Raises InvalidInput naming every column that is wrong."""
    given = {column.name: column for column in columns}
    wrong = _strangers(signature, given)
    tensors: Tensors = {}
    for spec in signature.inputs:
        column = given.get(spec.name)
        if column is None:
            if spec.nullable:
                tensors[spec.name] = _blank(spec, rows)
            else:
                wrong.append(_fault(spec.name, f"is missing; give {_wanted(spec)} for every row"))
            continue
        fault = _type_fault(spec, column)
        if fault is None:
            tensors[spec.name], fault = _convert(spec, column)
        if fault is not None:
            wrong.append(_fault(spec.name, fault))
    if wrong:
        raise InvalidInput("; ".join(f"{one.field}: {one.description}" for one in wrong), violations=wrong)
    return tensors


def _fault(name: str, description: str) -> FieldViolation:
    return FieldViolation(f"features[{name}]", description)


def _wanted(spec: ColumnSpec) -> str:
    kinds = " or ".join(sorted(kind.value for kind in _TAKES[spec.datatype]))
    return f"{kinds} ({spec.datatype})"


def _strangers(signature: Signature, given: Mapping[str, Column]) -> list[FieldViolation]:
    known = [spec.name for spec in signature.inputs]
    wrong = []
    for name in given.keys() - set(known):
        near = difflib.get_close_matches(name, known, n=1)
        meant = f"did you mean {near[0]!r}?" if near else f"the version takes {', '.join(known[:20])}"
        wrong.append(_fault(name, f"is not a feature of this version; {meant}"))
    return sorted(wrong, key=lambda one: one.field)


def _type_fault(spec: ColumnSpec, column: Column) -> str | None:
    if column.kind not in _TAKES[spec.datatype]:
        return f"holds {column.kind.value}; give {_wanted(spec)}"
    if len(column.absent) and not spec.nullable:
        return f"is absent in {_rows(column.absent)}; the version needs a value in every row"
    return None


def _blank(spec: ColumnSpec, rows: int) -> Array:
    if spec.datatype is DataType.BYTES:
        return np.full(rows, "", dtype=object)
    return np.full(rows, np.nan, dtype=DTYPES[spec.datatype])


def _convert(spec: ColumnSpec, column: Column) -> tuple[Array, str | None]:
    if spec.datatype in _FLOATS:
        return _floats(spec, column)
    values = column.values
    if spec.datatype is DataType.INT32:
        beyond = np.flatnonzero((values < np.iinfo(np.int32).min) | (values > np.iinfo(np.int32).max))
        if len(beyond):
            return values, f"does not fit 32 bits in {_rows(beyond.tolist())}"
    values = values.astype(DTYPES[spec.datatype])
    if len(column.absent):
        values[list(column.absent)] = ""
    return values, None


def _floats(spec: ColumnSpec, column: Column) -> tuple[Array, str | None]:
    with np.errstate(over="ignore"):
        values = column.values.astype(DTYPES[spec.datatype])
    if len(column.absent):
        values[list(column.absent)] = np.nan
    infinite = np.flatnonzero(np.isinf(values))
    if len(infinite):
        return values, f"is infinite, or too large for {spec.datatype}, in {_rows(infinite.tolist())}"
    if not spec.nullable:
        missing = np.flatnonzero(np.isnan(values))
        if len(missing):
            return values, f"is not a number in {_rows(missing.tolist())}; the version needs a value in every row"
    return values, None


def _rows(rows: Sequence[int]) -> str:
    shown = ", ".join(str(row) for row in list(rows)[:_SHOWN_ROWS])
    more = f" and {len(rows) - _SHOWN_ROWS} more" if len(rows) > _SHOWN_ROWS else ""
    return f"row {shown}{more}"


def check_servable(signature: Signature) -> str | None:
    """Why no model can serve this signature, or None: ONNX has no absent whole number or truth value."""
    for spec in signature.inputs:
        if spec.nullable and spec.datatype not in _FLOATS | {DataType.BYTES}:
            return f"column {spec.name!r} is nullable but {spec.datatype} has no absent value; use FP32 or FP64"
    return None
