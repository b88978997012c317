"""Rows of features: Python values into typed columns, and answers out of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from slipway.client.codec.fallback import STATUSES, decode_scalar
from slipway.client.codec.scalars import moment, text
from slipway.client.types.features import FeatureStatus, OnlineColumn, OnlineFeatures, OnlineScalar, Watermark
from slipway.errors import invalid_field
from slipway.gen.slipway.features.v1 import features_pb2 as pb
from slipway.gen.slipway.features.v1 import resources_pb2 as res

Rows = Sequence[Mapping[str, OnlineScalar]]
Times = Sequence[datetime] | datetime | None

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_VALUES = {FeatureStatus.PRESENT, FeatureStatus.FALLBACK}
_FIELDS = {bool: "bools", int: "int64s", float: "doubles", str: "strings", datetime: "timestamps"}
_FILL: dict[type, Any] = {bool: False, int: 0, float: 0.0, str: "", datetime: _EPOCH}
_INT64 = range(-(2**63), 2**63)


def columns(field: str, rows: Rows) -> list[res.Column]:
    """A column a name, in order of first appearance; None or a missing name is absent in its row.

    Raises ``InvalidInput`` naming the row or the column: a row that is no mapping, mixed types, a moment without zone.
    """
    if isinstance(rows, str | Mapping) or not isinstance(rows, Sequence):
        raise invalid_field(field, f"is {type(rows).__name__}; give a list of dicts, one a row")
    names: dict[str, None] = {}
    for n, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise invalid_field(f"{field}[{n}]", f"is {type(row).__name__}; give a dict of name to value")
        names.update(dict.fromkeys(row))
    return [_column(field, name, [row.get(name) for row in rows]) for name in names]


def times_us(field: str, times: Times) -> list[int]:
    """Moments as the contract has them: none, one for all rows, or one a row."""
    if times is None:
        return []
    listed = [times] if isinstance(times, datetime) else list(times)
    return [_micros(field if isinstance(times, datetime) else f"{field}[{n}]", one) for n, one in enumerate(listed)]


def _micros(field: str, value: datetime) -> int:
    if not isinstance(value, datetime):
        raise invalid_field(field, f"is {type(value).__name__}; give a datetime with a time zone")
    if value.tzinfo is None:
        raise invalid_field(field, "has no time zone; give one, such as datetime.now(UTC)")
    return (value - _EPOCH) // _MICROSECOND


def _column(field: str, name: str, values: list[Any]) -> res.Column:
    label = f"{field}.{name}"
    plain = [_plain(label, n, value) for n, value in enumerate(values)]
    made = res.Column(name=text(field, name), absent_rows=[n for n, value in enumerate(plain) if value is None])
    kinds = {_kind(value) for value in plain if value is not None}
    if not kinds:
        return made
    if len(kinds) > 1 and kinds != {int, float}:
        raise invalid_field(label, "mixes types; give values of one type")
    kind = float if len(kinds) > 1 else kinds.pop()
    filled = [_FILL[kind] if value is None else value for value in plain]
    if kind is datetime:
        made.timestamps.values_us.extend(_micros(f"{label}[{n}]", value) for n, value in enumerate(filled))
    elif kind is int and any(value not in _INT64 for value in filled):
        raise invalid_field(label, "has an int beyond 64 bits; give it as a float or a str")
    else:
        checked = [text(label, value) for value in filled] if kind is str else filled
        getattr(made, _FIELDS[kind]).values.extend(checked)
    return made


def _plain(label: str, row: int, value: Any) -> Any:
    if value is None or isinstance(value, datetime):
        return value
    if not isinstance(value, bool | int | float | str) and callable(item := getattr(value, "item", None)):
        value = item()
    if isinstance(value, bool | int | float | str):
        return value
    raise invalid_field(label, f"has {type(value).__name__} at row {row}; give bool, int, float, str, datetime or None")


def _kind(value: Any) -> type:
    return next(kind for kind in _FIELDS if isinstance(value, kind))


def decode_online(message: pb.GetOnlineFeaturesResponse) -> OnlineFeatures:
    """Decode an answer; what is neither PRESENT nor a FALLBACK becomes None."""
    return OnlineFeatures({column.name: _decode_column(column) for column in message.columns})


def _decode_column(message: res.FeatureColumn) -> OnlineColumn:
    statuses = tuple(STATUSES.name(number) for number in message.statuses)
    values = zip(_values(message), statuses, strict=True)
    return OnlineColumn(
        name=message.name,
        values=tuple(value if status in _VALUES else None for value, status in values),
        statuses=statuses,
        event_times=tuple(_EPOCH + one * _MICROSECOND if one else None for one in message.event_times_us),
        fallback=decode_scalar(message.fallback),
    )


def _values(message: res.FeatureColumn) -> Sequence[Any]:
    kind = message.WhichOneof("values")
    if kind is None:
        return [None] * len(message.statuses)
    if kind == "timestamps":
        return [_EPOCH + one * _MICROSECOND for one in message.timestamps.values_us]
    values: Sequence[Any] = getattr(message, kind).values
    return values


def decode_watermark(message: res.Watermark) -> Watermark:
    """Decode a watermark."""
    return Watermark(
        message.view,
        _EPOCH + message.event_time_us * _MICROSECOND,
        moment(message, "update_time"),
        message.late_rows,
    )
