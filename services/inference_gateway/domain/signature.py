"""What a version takes: holding a request's columns to it, and turning them into tensors."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from services.inference_gateway.domain.column_spec import DTYPES, FLOATS, KINDS, RANGES, TAKES, ColumnSpec, DataType
from services.inference_gateway.domain.columns import Array, Column
from services.inference_gateway.domain.fitting import Unfit, blank, fit, fit_plain, is_plain
from slipway.errors import FieldViolation, InvalidInput

__all__ = [
    "DTYPES",
    "FLOATS",
    "KINDS",
    "RANGES",
    "TAKES",
    "ColumnSpec",
    "DataType",
    "Signature",
    "TensorSpec",
    "Tensors",
    "check_servable",
    "conform",
    "less",
]


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One tensor that a version gives; -1 in the shape stands for the rows of the batch."""

    name: str
    datatype: DataType
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Signature:
    """What a version takes, in the model's order, and gives; its features are read by the keys ``entities``.

    What follows from it for every batch is found out once.
    """

    inputs: tuple[ColumnSpec, ...]
    outputs: tuple[TensorSpec, ...]
    entities: tuple[ColumnSpec, ...] = ()

    @cached_property
    def columns(self) -> Mapping[str, ColumnSpec]:
        """What it takes, by name."""
        return {spec.name: spec for spec in self.inputs}

    @cached_property
    def answers(self) -> Mapping[str, DataType]:
        """The types of what it gives, by name."""
        return {spec.name: spec.datatype for spec in self.outputs}

    @cached_property
    def plain(self) -> Mapping[DataType, Sequence[str]]:
        """The names of those columns that are one float a row, of which any is valid; by type, in order."""
        found: dict[DataType, list[str]] = {}
        for spec in filter(is_plain, self.inputs):
            found.setdefault(spec.datatype, []).append(spec.name)
        return found

    @cached_property
    def read_online(self) -> tuple[ColumnSpec, ...]:
        """Those of the columns that may be read from a feature."""
        return tuple([spec for spec in self.inputs if spec.feature])


Tensors = dict[str, Array]
"""Arrays [rows, …shape of the column], of the signature's types; absence is NaN or the empty text."""


def conform(
    signature: Signature, columns: Sequence[Column], rows: int, places: Array | None = None, field: str = "features"
) -> Tensors:
    """The version's feature columns from a request's.

    Raises InvalidInput naming every column that is wrong, as ``field[name]``, and its rows, which the caller knows
    by their ``places``.
    """
    given = {column.name: column for column in columns}
    faults = {} if given.keys() <= signature.columns.keys() else _strangers(signature, given)
    tensors = fit_plain(signature.plain, given, rows) if signature.plain else {}
    if not faults and len(signature.plain) == 1 and len(tensors) == len(signature.inputs):
        return tensors  # of one type, so in order
    for spec in signature.inputs:
        if spec.name in tensors:
            continue
        column = given.get(spec.name)
        if spec.nullable and (column is None or _is_absent(column, rows)):
            tensors[spec.name] = blank(spec, rows)
        elif column is None:
            faults[spec.name] = f"is missing; give {spec.wanted} for every row"
        else:
            try:
                tensors[spec.name] = fit(spec, column)
            except Unfit as unfit:
                faults[spec.name] = unfit.told(places)
    if faults:
        wrong = [FieldViolation(f"{field}[{name}]", fault) for name, fault in faults.items()]
        raise InvalidInput("; ".join(f"{one.field}: {one.description}" for one in wrong), violations=wrong)
    return {spec.name: tensors[spec.name] for spec in signature.inputs}


def less(signature: Signature, columns: Collection[ColumnSpec]) -> Signature:
    """The signature without some of its columns."""
    return replace(signature, inputs=tuple(spec for spec in signature.inputs if spec not in columns))


def _is_absent(column: Column, rows: int) -> bool:
    """Whether no row has a value, in which case the column's type says nothing."""
    return len(column.absent) >= rows and len(set(column.absent)) == rows


def _strangers(signature: Signature, given: Mapping[str, Column]) -> dict[str, str]:
    known = [spec.name for spec in signature.inputs]
    faults = {}
    for name in sorted(given.keys() - set(known)):
        near = difflib.get_close_matches(name, known, n=1)
        meant = f"did you mean {near[0]!r}?" if near else f"the version takes {', '.join(known[:20])}"
        faults[name] = f"is not a feature of this version; {meant}"
    return faults


def check_servable(signature: Signature) -> str | None:
    """Why no model can serve this signature, or None: ONNX has no absent whole number or truth value."""
    for spec in signature.inputs:
        if spec.feature and spec.shape:
            return f"column {spec.name!r} has a shape, but its feature {spec.feature!r} is one value a row"
        if spec.nullable and spec.datatype not in FLOATS | {DataType.BYTES}:
            return f"column {spec.name!r} is nullable but {spec.datatype} has no absent value; use FP32 or FP64"
    return None
