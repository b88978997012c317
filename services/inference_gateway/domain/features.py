"""Features that are read online: which of them a batch needs, by which keys, and how they become columns."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from services.inference_gateway.domain.columns import Array, Column, ValueKind
from services.inference_gateway.domain.feature_errors import FeatureMissing, FeaturesUnavailable, FeatureTypeMismatch
from services.inference_gateway.domain.finite import all_finite
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


_PRESENT = int(Status.PRESENT)
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
    if not signature.read_online:
        return ()
    known = {one.name for one in given if not len(one.absent) or len(set(one.absent)) < len(one.values)}
    return tuple([spec for spec in signature.read_online if spec.name not in known])


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
    lost = [spec.feature for spec in specs if spec.feature not in online.columns and not spec.nullable]
    if lost:
        raise FeaturesUnavailable(lost, online.failure)
    there = [spec for spec in specs if spec.feature in online.columns]
    degraded = np.full(len(rows), len(there) < len(specs))
    view_times: dict[str, Array] = {}
    for spec in specs:
        if (view := spec.feature.partition(":")[0]) not in view_times:
            read = online.columns.get(spec.feature)
            view_times[view] = np.zeros(len(rows), dtype=np.int64) if read is None else _of(read.event_times_us, rows)
    if not there:
        return Filled((), tuple(np.flatnonzero(degraded).tolist()), view_times)
    block = _Block.of(there, [online.columns[spec.feature] for spec in there], rows)
    if block.complete and len(there) == len(specs):
        found = zip(there, block.kinds, block.values, strict=True)
        return Filled(tuple([Column(spec.name, kind, values) for spec, kind, values in found]), (), view_times)
    degraded |= block.lacking.any(axis=0)
    absent = _by_column(there, block.absent)
    holes = {
        spec.name: _told(spec, absent[spec.name], block.statuses[n], places)
        for n, spec in enumerate(there)
        if spec.name in absent and not spec.nullable
    }
    if holes:
        raise FeatureMissing(holes)
    columns = tuple(
        Column(spec.name, kind, values, absent[spec.name].tolist() if spec.name in absent else ())
        for spec, kind, values in zip(there, block.kinds, block.values, strict=True)
    )
    fallbacks = _by_column(there, block.statuses == int(Status.FALLBACK))
    return Filled(columns, tuple(np.flatnonzero(degraded).tolist()), view_times, fallbacks)


@dataclass(frozen=True, slots=True)
class _Block:
    """Columns that were read, all of them together: the matrices are [columns, rows].

    ``lacking`` are values that should be there, ``absent`` those that are not. It is ``complete`` where every feature
    has a value of its own in every row, as mostly.
    """

    kinds: Sequence[ValueKind]
    values: Sequence[Array]
    statuses: Array
    lacking: Array
    absent: Array
    complete: bool

    @classmethod
    def of(cls, specs: Sequence[ColumnSpec], read: Sequence[FeatureColumn], rows: Array) -> _Block:
        """Raises FeatureTypeMismatch."""
        statuses = np.array([_of(one.statuses, rows) for one in read])
        lacking, absent = _DEGRADES[statuses], _ABSENT[statuses]
        kinds, values = [one.kind for one in read], [_of(one.values, rows) for one in read]
        for n, spec in enumerate(specs):
            if kinds[n] is ValueKind.BOOL and spec.datatype in FLOATS:
                kinds[n], values[n] = ValueKind.INT64, values[n].astype(np.int64)
            if kinds[n] not in TAKES[spec.datatype] and not absent[n].all():
                raise FeatureTypeMismatch(spec.name, spec.datatype.value, spec.feature, kinds[n].value)
        beyond = _beyond(specs, kinds, values, absent)
        if beyond.any():
            # A number that the model can't take, or that isn't valid, is as unreadable as bytes that are none.
            statuses[beyond] = Status.UNREADABLE
            lacking |= beyond
            absent |= beyond
        complete = bool((statuses == _PRESENT).all()) and not absent.any()
        return cls(kinds, values, statuses, lacking, absent, complete)


def _of(array: Array, rows: Array) -> Array:
    """The elements of ``rows`` (indices, ascending): of all rows the array itself."""
    return array if len(rows) == len(array) else array[rows]


def _beyond(specs: Sequence[ColumnSpec], kinds: Sequence[ValueKind], values: Sequence[Array], absent: Array) -> Array:
    """Which numbers a model can't take, or may not; those that are no numbers are ``absent`` from now on."""
    beyond = np.zeros(absent.shape, dtype=np.bool_)
    floats: dict[DataType, list[int]] = {}
    for n, spec in enumerate(specs):
        if kinds[n] is ValueKind.DOUBLE and spec.datatype in FLOATS:
            floats.setdefault(spec.datatype, []).append(n)
        if spec.bounded and kinds[n] in _NUMBERS:
            beyond[n] = spec.beyond(values[n])
    for datatype, places in floats.items():
        numbers = np.array([values[n] for n in places])
        with np.errstate(over="ignore", invalid="ignore"):
            numbers = numbers.astype(DTYPES[datatype])
        if not all_finite(numbers):
            beyond[places] |= np.isinf(numbers)
            absent[places] |= np.isnan(numbers)
    return beyond & ~absent


def _by_column(specs: Sequence[ColumnSpec], mask: Array) -> dict[str, Array]:
    """The rows that a mask [columns, rows] holds true, by the column's name, where there are any."""
    return {specs[n].name: np.flatnonzero(mask[n]) for n in np.flatnonzero(mask.any(axis=1)).tolist()}


def _told(spec: ColumnSpec, absent: Array, statuses: Array, places: Array | None) -> str:
    shown = absent[:_MOST_ROWS].tolist()
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
