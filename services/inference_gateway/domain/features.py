"""Features that are read online: which of them a batch needs, by which keys, and how they become columns."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from services.inference_gateway.domain.columns import Array, Column, ValueKind
from services.inference_gateway.domain.feature_errors import FeatureMissing, FeaturesUnavailable, FeatureTypeMismatch
from services.inference_gateway.domain.signature import DTYPES, FLOATS, TAKES, ColumnSpec, DataType, Signature
from slipway.errors import FieldViolation, InvalidInput

_MOST_ROWS = 5
_NUMBERS = {ValueKind.DOUBLE, ValueKind.INT64}


class Status(enum.IntEnum):
    """What a value that was read is; the numbers are those of feature_serving's contract."""

    PRESENT = 1
    NULL_VALUE = 2
    NOT_FOUND = 3
    OUTSIDE_MAX_AGE = 4
    UNREADABLE = 5
    FALLBACK = 6


# A status that nobody knows yet is no value either.
_DEGRADES = np.ones(256, dtype=np.bool_)
_DEGRADES[[Status.PRESENT, Status.NULL_VALUE]] = False
_ABSENT = np.ones(256, dtype=np.bool_)
_ABSENT[[Status.PRESENT, Status.FALLBACK]] = False
Scalar = bool | int | float | str
"""One value; moments are microseconds since 1970 UTC."""


@dataclass(frozen=True, slots=True)
class Fallback:
    """What a feature's definition names in place of a value that is missing."""

    kind: ValueKind
    value: Scalar

    def column(self, rows: int) -> FeatureColumn:
        """A column of so many rows that all go without a value."""
        values = np.full(rows, self.value, object if self.kind is ValueKind.STRING else None)
        nothing = np.zeros(rows, dtype=np.int64)
        return FeatureColumn(self.kind, values, np.full(rows, Status.FALLBACK, dtype=np.uint8), nothing)


@dataclass(frozen=True, slots=True)
class FeatureColumn:
    """One feature for all rows ([rows] each).

    ``values`` mean something where ``statuses`` say PRESENT or FALLBACK; moments are microseconds since 1970 UTC as
    whole numbers. ``event_times_us`` say when they were true, 0 where nothing is known.
    """

    kind: ValueKind
    values: Array
    statuses: Array
    event_times_us: Array

    def take(self, rows: Array) -> FeatureColumn:
        """The column of ``rows`` (indices) alone."""
        return FeatureColumn(self.kind, self.values[rows], self.statuses[rows], self.event_times_us[rows])


@dataclass(frozen=True, slots=True)
class Online:
    """What was read for a batch, by ``view:feature``. What is not in it could not be read, for ``failure``."""

    columns: Mapping[str, FeatureColumn]
    failure: str = ""

    def take(self, rows: Array) -> Online:
        """The same for ``rows`` (indices) of the batch alone."""
        return Online({name: column.take(rows) for name, column in self.columns.items()}, self.failure)


@dataclass(frozen=True, slots=True)
class Filled:
    """Columns that were read, as a version takes them, the rows that went without, and the views' event times.

    ``fallbacks`` are, by column, the rows whose value is the feature's fallback, where there are any.
    """

    columns: tuple[Column, ...]
    degraded: tuple[int, ...]
    view_times: Mapping[str, Array]
    fallbacks: Mapping[str, Array] = field(default_factory=dict)


def among(fallbacks: Mapping[str, Array], rows: Array) -> Mapping[str, Array]:
    """``fallbacks`` of :class:`Filled` for ``rows`` (indices, ascending) alone, counted anew."""
    found = ((name, np.flatnonzero(np.isin(rows, taken))) for name, taken in fallbacks.items())
    return {name: taken for name, taken in found if len(taken)}


def unread(signature: Signature, given: Sequence[Column]) -> tuple[ColumnSpec, ...]:
    """The columns that a caller left to be read online: a column without any value is one that was not given."""
    known = {column.name for column in given if len(set(column.absent)) < len(column.values)}
    return tuple(spec for spec in signature.inputs if spec.feature and spec.name not in known)


def join_keys(signature: Signature, given: Sequence[Column]) -> tuple[Column, ...]:
    """The entity columns that features are read by. Raises InvalidInput naming each that is missing or mistyped."""
    by_name = {column.name: column for column in given}
    faults = {}
    for spec in signature.entities:
        column = by_name.get(spec.name)
        wanted = ValueKind.INT64 if spec.datatype is DataType.INT64 else ValueKind.STRING
        if column is None:
            faults[spec.name] = f"is missing; give {wanted.value}, for the version's features are read by it"
        elif column.kind is not wanted and len(set(column.absent)) < len(column.values):
            faults[spec.name] = f"holds {column.kind.value}; give {wanted.value}, the type of the feature's key"
    if faults:
        wrong = [FieldViolation(f"entity_keys[{name}]", fault) for name, fault in faults.items()]
        raise InvalidInput("; ".join(f"{one.field}: {one.description}" for one in wrong), violations=wrong)
    return tuple(by_name[spec.name] for spec in signature.entities)


def fill(specs: Sequence[ColumnSpec], online: Online, rows: Array, places: Array | None) -> Filled:
    """The columns of ``specs`` for some ``rows`` (indices) of the batch that was read for.

    ``places`` are the rows' numbers in the caller's request. A value that is not there is absent. Raises
    FeaturesUnavailable, FeatureMissing or FeatureTypeMismatch naming the columns that the version needs.
    """
    columns: list[Column] = []
    fallbacks: dict[str, Array] = {}
    view_times: dict[str, Array] = {}
    degraded = np.zeros(len(rows), dtype=np.bool_)
    lost = [spec.feature for spec in specs if spec.feature not in online.columns and not spec.nullable]
    if lost:
        raise FeaturesUnavailable(lost, online.failure)
    holes: dict[str, str] = {}
    for spec in specs:
        view = spec.feature.partition(":")[0]
        read = online.columns.get(spec.feature)
        if read is None:
            degraded[:] = True
            view_times.setdefault(view, np.zeros(len(rows), dtype=np.int64))
            continue
        view_times.setdefault(view, read.event_times_us[rows])
        statuses = read.statuses[rows]
        column, lacking = _column(spec, read, rows, statuses)
        if len(column.absent) and not spec.nullable:
            holes[spec.name] = _told(spec, column.absent, statuses, places)
        if len(taken := np.flatnonzero(statuses == Status.FALLBACK)):
            fallbacks[spec.name] = taken
        degraded |= lacking
        columns.append(column)
    if holes:
        raise FeatureMissing(holes)
    return Filled(tuple(columns), tuple(np.flatnonzero(degraded).tolist()), view_times, fallbacks)


def _column(spec: ColumnSpec, read: FeatureColumn, rows: Array, statuses: Array) -> tuple[Column, Array]:
    """The column, and its rows that lack a value they should have; ``statuses`` [rows] learns of more of them."""
    kind, values = read.kind, read.values[rows]
    absent = _ABSENT[statuses]
    lacking: Array = _DEGRADES[statuses]
    if kind is ValueKind.BOOL and spec.datatype in FLOATS:
        kind, values = ValueKind.INT64, values.astype(np.int64)
    if kind not in TAKES[spec.datatype] and not absent.all():
        raise FeatureTypeMismatch(spec.name, spec.datatype.value, spec.feature, kind.value)
    beyond = np.zeros(len(rows), dtype=np.bool_)
    if kind is ValueKind.DOUBLE and spec.datatype in FLOATS:
        with np.errstate(over="ignore"):
            beyond = np.isinf(values.astype(DTYPES[spec.datatype]))
        absent = absent | np.isnan(values)
    if spec.bounded and kind in _NUMBERS:
        beyond = beyond | spec.beyond(values)
    if (beyond := beyond & ~absent).any():
        # A number that the model can't take, or that isn't valid, is as unreadable as bytes that are none.
        statuses[beyond] = Status.UNREADABLE
        lacking = lacking | beyond
        absent = absent | beyond
    return Column(spec.name, kind, values, np.flatnonzero(absent).tolist()), lacking


def _told(spec: ColumnSpec, absent: Sequence[int], statuses: Array, places: Array | None) -> str:
    shown = absent[:_MOST_ROWS]
    names = [str(row if places is None else places[row]) for row in shown]
    whys = sorted({_status_name(int(statuses[row])) for row in shown})
    more = f" and {len(absent) - len(shown)} more" if len(absent) > len(shown) else ""
    return (
        f"feature {spec.feature!r} has no value ({', '.join(whys)}) in row {', '.join(names)}{more}; "
        "the version needs one in every row, so give the column"
    )


def _status_name(number: int) -> str:
    try:
        return Status(number).name
    except ValueError:
        return f"status {number}"
