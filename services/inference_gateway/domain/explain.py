"""What each column of a row did to its answer: the answer with its value, less that with what is typical."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from services.inference_gateway.domain.column_spec import DTYPES, ColumnSpec, DataType
from services.inference_gateway.domain.columns import Array
from services.inference_gateway.domain.signature import Signature, Tensors
from slipway.errors import Kind, SlipwayError, invalid_field

MAX_OCCLUDED_ROWS = 16_384
_SLICE_ROWS = 256  # what a worker is given at once: a prediction that comes meanwhile waits for no more

Typical = Mapping[str, float | str]
"""By column, what the training data had most or in the middle."""


class NotExplainable(SlipwayError):
    """A version of the endpoint has no baseline that says what is typical."""

    kind = Kind.FAILED_PRECONDITION
    reason = "NOT_EXPLAINABLE"

    def __init__(self, version: str) -> None:
        super().__init__(
            f"{version} can't be explained: it was registered without a baseline of its columns, or before gateways "
            "were told of it; register a version with `baseline`, or ask without `explain`",
            facts={"version": version},
        )


def typical(columns: Sequence[ColumnSpec]) -> Typical:
    """What the baseline says of these columns; those that it says nothing of are left out."""
    return {one.name: one.typical for one in columns if one.typical is not None}


def explained_output(signature: Signature) -> str | None:
    """The output that is explained: the first one of numbers; None where all are texts."""
    return next((one.name for one in signature.outputs if one.datatype is not DataType.BYTES), None)


def check_size(rows: int, columns: int) -> None:
    """Raise InvalidInput where too much would have to be run."""
    if rows * columns > MAX_OCCLUDED_ROWS:
        raise invalid_field(
            "explain",
            f"asks for {rows} rows with each of {columns} columns left out, {rows * columns} in all; "
            f"at most {MAX_OCCLUDED_ROWS} are run, so ask about {MAX_OCCLUDED_ROWS // columns} rows at once",
        )


def slices(rows: int, columns: Sequence[str]) -> Iterator[Sequence[str]]:
    """The columns in groups, so many as are run at once."""
    step = max(1, _SLICE_ROWS // rows)
    for start in range(0, len(columns), step):
        yield columns[start : start + step]


def occluded(inputs: Tensors, signature: Signature, typical: Typical, columns: Sequence[str]) -> Tensors:
    """The rows once for each of ``columns``, one after the other, with what is typical in that column."""
    specs = {one.name: one for one in signature.inputs}
    made = {name: np.concatenate([array] * len(columns)) for name, array in inputs.items()}
    rows = len(next(iter(inputs.values())))
    for place, name in enumerate(columns):
        made[name][place * rows : (place + 1) * rows] = _as(specs[name], typical[name])
    return made


def contributions(with_all: Array, without: Array, columns: int) -> Array:
    """What each column did [columns, rows, values] from the answers [rows, …] and those [columns * rows, …] without."""
    rows = len(with_all)
    whole = with_all.reshape(rows, -1).astype(np.float64)
    contributed: Array = whole - without.reshape(columns, rows, -1).astype(np.float64)
    return contributed


def _as(spec: ColumnSpec, value: float | str) -> object:
    if isinstance(value, str):
        return value
    dtype = DTYPES[spec.datatype]
    return dtype.type(round(value) if dtype.kind in "iu" else value)
