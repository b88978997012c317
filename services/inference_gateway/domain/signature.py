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
_NEEDED = "; the version needs a value in every row"


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
FLOATS = {DataType.FP32, DataType.FP64}
_INTEGERS = {DataType.INT32, DataType.INT64}
TAKES = {
    DataType.BOOL: {ValueKind.BOOL},
    DataType.INT32: {ValueKind.INT64},
    DataType.INT64: {ValueKind.INT64},
    DataType.FP32: {ValueKind.DOUBLE, ValueKind.INT64},
    DataType.FP64: {ValueKind.DOUBLE, ValueKind.INT64},
    DataType.BYTES: {ValueKind.STRING},
}


@dataclass(frozen=True, slots=True)
class ColumnSpec:
    """One feature column that a version takes; ``feature`` names what it may be read from online, ``view:feature``."""

    name: str
    datatype: DataType
    nullable: bool = False
    feature: str = ""


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One tensor that a version gives; -1 in the shape stands for the rows of the batch."""

    name: str
    datatype: DataType
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Signature:
    """What a version takes, in the model's order, and gives; its features are read by the keys ``entities``."""

    inputs: tuple[ColumnSpec, ...]
    outputs: tuple[TensorSpec, ...]
    entities: tuple[ColumnSpec, ...] = ()


Tensors = dict[str, Array]
"""Arrays of shape [rows], of the signature's types; absence is NaN or the empty text."""


@np.errstate(over="ignore")  # a number too large for its type becomes infinite, which is looked for
def conform(
    signature: Signature, columns: Sequence[Column], rows: int, places: Array | None = None, field: str = "features"
) -> Tensors:
    """The version's feature columns from a request's.

    Raises InvalidInput naming every column that is wrong, as ``field[name]``, and its rows, which the caller knows
    by their ``places``.
    """
    tensors: Tensors = {}
    given = {column.name: column for column in columns}
    faults = _strangers(signature, given)
    for spec in signature.inputs:
        column = given.get(spec.name)
        if spec.nullable and (column is None or _is_absent(column, rows)):
            tensors[spec.name] = _blank(spec, rows)
        elif column is None:
            faults[spec.name] = f"is missing; give {_wanted(spec)} for every row"
        else:
            try:
                tensors[spec.name] = _convert(spec, column)
            except _Unfit as unfit:
                faults[spec.name] = unfit.told(places)
    if faults:
        wrong = [FieldViolation(f"{field}[{name}]", fault) for name, fault in faults.items()]
        raise InvalidInput("; ".join(f"{one.field}: {one.description}" for one in wrong), violations=wrong)
    return tensors


class _Unfit(Exception):
    """What is wrong with a column, in which rows (none: in all), and the mend."""

    def __init__(self, what: str, rows: Sequence[int] = (), mend: str = "") -> None:
        super().__init__(what)
        self._what = what
        self._rows = rows
        self._mend = mend

    def told(self, places: Array | None) -> str:
        """The whole sentence, with the rows' numbers in the caller's request."""
        if not len(self._rows):
            return self._what
        numbers = list(self._rows) if places is None else places[list(self._rows)].tolist()
        shown = ", ".join(str(number) for number in numbers[:_SHOWN_ROWS])
        more = f" and {len(numbers) - _SHOWN_ROWS} more" if len(numbers) > _SHOWN_ROWS else ""
        return f"{self._what} in row {shown}{more}{self._mend}"


def _is_absent(column: Column, rows: int) -> bool:
    """Whether no row has a value, in which case the column's type says nothing."""
    return len(column.absent) >= rows and len(set(column.absent)) == rows


def _wanted(spec: ColumnSpec) -> str:
    kinds = " or ".join(sorted(kind.value for kind in TAKES[spec.datatype]))
    return f"{kinds} ({spec.datatype})"


def _strangers(signature: Signature, given: Mapping[str, Column]) -> dict[str, str]:
    known = [spec.name for spec in signature.inputs]
    faults = {}
    for name in sorted(given.keys() - set(known)):
        near = difflib.get_close_matches(name, known, n=1)
        meant = f"did you mean {near[0]!r}?" if near else f"the version takes {', '.join(known[:20])}"
        faults[name] = f"is not a feature of this version; {meant}"
    return faults


def _blank(spec: ColumnSpec, rows: int) -> Array:
    if spec.datatype is DataType.BYTES:
        return np.full(rows, "", dtype=object)
    return np.full(rows, np.nan, dtype=DTYPES[spec.datatype])


def _convert(spec: ColumnSpec, column: Column) -> Array:
    if column.kind not in TAKES[spec.datatype]:
        raise _Unfit(f"holds {column.kind.value}; give {_wanted(spec)}")
    if len(column.absent) and not spec.nullable:
        raise _Unfit("is absent", column.absent, _NEEDED)
    if spec.datatype in FLOATS:
        return _floats(spec, column)
    values = column.values
    if spec.datatype is DataType.INT32:
        beyond = np.flatnonzero((values < np.iinfo(np.int32).min) | (values > np.iinfo(np.int32).max))
        if len(beyond):
            raise _Unfit("does not fit 32 bits", beyond.tolist())
    values = values.astype(DTYPES[spec.datatype])
    if len(column.absent):
        values[list(column.absent)] = ""
    return values


def _floats(spec: ColumnSpec, column: Column) -> Array:
    values = column.values.astype(DTYPES[spec.datatype])
    if len(column.absent):
        values[list(column.absent)] = np.nan
    if np.isfinite(values).all():
        return values
    infinite = np.flatnonzero(np.isinf(values))
    if len(infinite):
        raise _Unfit(f"is infinite, or too large for {spec.datatype},", infinite.tolist())
    if not spec.nullable:
        raise _Unfit("is not a number", np.flatnonzero(np.isnan(values)).tolist(), _NEEDED)
    return values


def check_servable(signature: Signature) -> str | None:
    """Why no model can serve this signature, or None: ONNX has no absent whole number or truth value."""
    for spec in signature.inputs:
        if spec.nullable and spec.datatype not in FLOATS | {DataType.BYTES}:
            return f"column {spec.name!r} is nullable but {spec.datatype} has no absent value; use FP32 or FP64"
    return None
