"""A request's column as one of a version's, or what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from services.inference_gateway.domain.column_spec import DTYPES, FLOATS, RANGES, TAKES, ColumnSpec, DataType
from services.inference_gateway.domain.columns import Array, Column, ValueKind, rows_where, width
from services.inference_gateway.domain.finite import all_finite

_SHOWN_ROWS = 5
_NEEDED = "; the version needs a value in every row"


class Unfit(Exception):
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


def blank(spec: ColumnSpec, rows: int) -> Array:
    """So many rows ([rows, …shape]) without a value."""
    empty: object = "" if spec.datatype is DataType.BYTES else np.nan
    return np.full((rows, *spec.shape), empty, dtype=DTYPES[spec.datatype])


def fit(spec: ColumnSpec, column: Column) -> Array:
    """The column's values as ``spec`` has them, [rows, …shape]; the column's own array where nothing is to be done.

    Raises Unfit.
    """
    if column.kind not in TAKES[spec.datatype]:
        raise Unfit(f"holds {column.kind.value}; give {spec.wanted}")
    if len(column.absent) and not spec.nullable:
        raise Unfit("is absent", column.absent, _NEEDED)
    values = _converted(spec, _shaped(spec, column.values), column.absent)
    if spec.bounded:
        _check_valid(spec, values)
    return values


def is_plain(spec: ColumnSpec) -> bool:
    """Whether a column is one float a row, of which any is valid."""
    return spec.datatype in FLOATS and not spec.shape and not spec.bounded


def fit_plain(plain: Mapping[DataType, Sequence[str]], given: Mapping[str, Column], rows: int) -> dict[str, Array]:
    """Those of the ``plain`` columns that have a finite number in each of ``rows``, all of a type at once.

    Whatever is to be said of the others is for :func:`fit`.
    """
    shape = (rows,)
    fitted: dict[str, Array] = {}
    for datatype, names in plain.items():
        columns = []
        for name in names:
            one = given.get(name)
            if one is not None and one.kind is ValueKind.DOUBLE and one.values.shape == shape and not len(one.absent):
                columns.append(one)
        if not columns:
            continue
        block = _cast(np.array([one.values for one in columns]), DTYPES[datatype])
        if all_finite(block):
            fitted |= {one.name: line for one, line in zip(columns, block, strict=True)}
        else:
            for n in np.flatnonzero(np.isfinite(block).all(axis=1)).tolist():
                fitted[columns[n].name] = block[n]
    return fitted


def _converted(spec: ColumnSpec, values: Array, absent: Sequence[int]) -> Array:
    if spec.datatype in FLOATS:
        return _floats(spec, values, absent)
    _check_range(spec, values)
    values = values.astype(DTYPES[spec.datatype], copy=bool(len(absent)))
    if len(absent):
        values[list(absent)] = ""
    return values


def _check_valid(spec: ColumnSpec, values: Array) -> None:
    with np.errstate(over="ignore"):  # a bound may be beyond a small type
        mask = spec.beyond(values)
    if mask.any():
        first = values[mask].ravel()[0].item()
        raise Unfit(f"is {first:g}, but only numbers {spec.valid} are valid,", rows_where(mask))


def _shaped(spec: ColumnSpec, values: Array) -> Array:
    shape = (len(values), *spec.shape)
    if values.shape == shape:
        return values
    if width(values) != spec.width:
        wanted = f"{spec.width}, for its shape is {list(spec.shape)}" if spec.shape else "one"
        raise Unfit(f"has {width(values)} values a row; give {wanted}")
    return values.reshape(shape)


def _check_range(spec: ColumnSpec, values: Array) -> None:
    fits = RANGES.get(spec.datatype)
    if fits is None or np.can_cast(values.dtype, DTYPES[spec.datatype]) or not values.size:
        return
    if int(values.min()) not in fits or int(values.max()) not in fits:
        beyond = rows_where((values < fits[0]) | (values > fits[-1]))
        raise Unfit(f"does not fit {spec.datatype}, {fits[0]} to {fits[-1]},", beyond)


def _cast(values: Array, dtype: np.dtype[Any]) -> Array:
    """The numbers as floats of a type; one too large for it becomes infinite, which is looked for, as NaN is."""
    if values.dtype == dtype:
        return values
    with np.errstate(over="ignore", invalid="ignore"):
        return values.astype(dtype)


def _floats(spec: ColumnSpec, given: Array, absent: Sequence[int]) -> Array:
    values = _cast(given, DTYPES[spec.datatype])
    if len(absent):
        values = np.array(values)
        values[list(absent)] = np.nan
    if all_finite(values):
        return values
    if infinite := rows_where(np.isinf(values)):
        raise Unfit(f"is infinite, or too large for {spec.datatype},", infinite)
    if not spec.nullable:
        raise Unfit("is not a number", rows_where(np.isnan(values)), _NEEDED)
    return values
