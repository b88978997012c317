"""Requests to batches."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
from google.protobuf.timestamp_pb2 import Timestamp

from services.inference_gateway.domain.batch import Batch, Protocol, all_at
from services.inference_gateway.domain.block import first_rows
from services.inference_gateway.domain.columns import Array, Column, ValueKind
from services.inference_gateway.domain.packed import unpacked
from slipway.errors import invalid_field
from slipway.gen.slipway.inference.v1 import inference_pb2, resources_pb2

_KINDS = {
    "doubles": ValueKind.DOUBLE,
    "floats": ValueKind.DOUBLE,
    "int64s": ValueKind.INT64,
    "uint64s": ValueKind.INT64,
    "strings": ValueKind.STRING,
    "bools": ValueKind.BOOL,
}
_DTYPES: dict[str, np.dtype[Any]] = {
    "doubles": np.dtype(np.float64),
    "floats": np.dtype(np.float32),
    "int64s": np.dtype(np.int64),
    "uint64s": np.dtype(np.uint64),
    "strings": np.dtype(object),
    "bools": np.dtype(np.bool_),
}

# A year short of what a Timestamp can say at either end, so that a window around any moment can be said too.
_EARLIEST_US = -62_104_060_800_000_000
_LATEST_US = 253_370_764_800_000_000


def decode_batch(
    request: inference_pb2.PredictRequest,
    now: datetime,
    trace_id: str,
    deadline_s: float | None = None,
    tenant: str = "",
    *,
    features: Sequence[Column] | None = None,
    alike: object = None,
) -> Batch:
    """The batch of a request; rows are counted from its longest list. Raises InvalidInput about a column's type.

    Where its ``features`` were read elsewhere, they are ``alike`` those of other requests, as :class:`Batch` says.
    """
    if features is None:
        features = tuple([_column("features", one) for one in request.features])
    entity_keys = decode_keys(request)
    # Of those that are alike each has as many rows.
    given = [len(one.values) for one in features] if alike is None else [first_rows(features)]
    rows = max([*given, *[len(one.values) for one in entity_keys]], default=len(request.prediction_ids))
    return Batch(
        endpoint=request.endpoint,
        rows=rows,
        ids=tuple(request.prediction_ids),
        event_times_us=_event_times(request.event_times, rows, now),
        timed=len(request.event_times) > 0,
        entity_keys=entity_keys,
        features=features,
        protocol=Protocol.PREDICT,
        trace_id=trace_id,
        deadline_s=deadline_s,
        tenant=tenant,
        priority=request.priority,
        explain=request.explain,
        alike=alike,
    )


def decode_keys(request: inference_pb2.PredictRequest) -> tuple[Column, ...]:
    """The entity keys of a request. Raises InvalidInput about a column's type."""
    return tuple([_key(one) for one in request.entity_keys]) if request.entity_keys else ()


def _key(message: resources_pb2.Column) -> Column:
    field = f"entity_keys[{message.name}]"
    if message.width > 1:
        raise invalid_field(f"{field}.width", f"is {message.width}; a key is one value a row, leave it out")
    if message.WhichOneof("values") == "uint64s":
        raise invalid_field(f"{field}.uint64s", "hold no key; give int64s")
    return _column("entity_keys", message)


def _column(field: str, message: resources_pb2.Column) -> Column:
    chosen = message.WhichOneof("values")
    if chosen is None:
        raise invalid_field(
            f"{field}[{message.name}].values", "is not set; give doubles, int64s, strings or bools, one a row"
        )
    values = _values(chosen, getattr(message, chosen))
    if message.width > 1:
        rows, beyond = divmod(len(values), message.width)
        if beyond:
            told = f"has {len(values)} values, which are no whole rows of width {message.width}"
            raise invalid_field(f"{field}[{message.name}]", told)
        values = values.reshape(rows, message.width)
    return Column(message.name, _KINDS[chosen], values, list(message.absent_rows))


def _values(kind: str, message: Any) -> Array:
    given, dtype = message.values, _DTYPES[kind]
    if kind in {"doubles", "floats"}:
        found = unpacked(message.SerializeToString(), len(given), dtype)
        if found is not None:
            return found
    # From an iterator: numpy asks a repeated field of protobuf for every protocol that it might be.
    return np.fromiter(given, dtype, len(given))


def _event_times(stamps: Sequence[Timestamp], rows: int, now: datetime) -> Array:
    if not stamps:
        return all_at(int(now.timestamp() * 1e6), rows)
    micros = [stamp.seconds * 1_000_000 + stamp.nanos // 1_000 for stamp in stamps]
    for position, moment in enumerate(micros):
        if not _EARLIEST_US <= moment < _LATEST_US:
            raise invalid_field(f"event_times[{position}]", "is no moment that can be kept; give years 2 to 9998")
    moments = np.array(micros, dtype=np.int64)
    return all_at(micros[0], rows) if len(moments) == 1 else moments
