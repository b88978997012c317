"""Between Slipway's own messages and the gateway's values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from google.protobuf.timestamp_pb2 import Timestamp

from services.inference_gateway.domain.batch import Answer, Batch, Prediction, Protocol, ages_by_row
from services.inference_gateway.domain.columns import Array, Column, ValueKind, gaps, width
from services.inference_gateway.domain.guardrail import Disabled
from services.inference_gateway.domain.packed import packed, unpacked
from services.inference_gateway.ports import Remembered
from slipway.errors import invalid_field
from slipway.gen.slipway.inference.v1 import events_pb2, inference_pb2, resources_pb2

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
_PROTOCOLS = {
    Protocol.PREDICT: events_pb2.PROTOCOL_PREDICT,
    Protocol.OPEN_INFERENCE: events_pb2.PROTOCOL_OPEN_INFERENCE,
}
_SINGLE = 4  # bytes
_MOST_SIGNED = 2**63 - 1

# A year short of what a Timestamp can say at either end, so that a window around any moment can be said too.
_EARLIEST_US = -62_104_060_800_000_000
_LATEST_US = 253_370_764_800_000_000


def decode_batch(
    request: inference_pb2.PredictRequest,
    now: datetime,
    trace_id: str,
    deadline_s: float | None = None,
    tenant: str = "",
) -> Batch:
    """The batch of a request; rows are counted from its longest list. Raises InvalidInput about a column's type."""
    features = tuple(_column("features", one) for one in request.features)
    entity_keys = tuple(_key(one) for one in request.entity_keys)
    rows = max((len(one.values) for one in (*features, *entity_keys)), default=len(request.prediction_ids))
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
    )


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
        return np.full(rows, int(now.timestamp() * 1e6), dtype=np.int64)
    micros = [stamp.seconds * 1_000_000 + stamp.nanos // 1_000 for stamp in stamps]
    for position, moment in enumerate(micros):
        if not _EARLIEST_US <= moment < _LATEST_US:
            raise invalid_field(f"event_times[{position}]", "is no moment that can be kept; give years 2 to 9998")
    moments = np.array(micros, dtype=np.int64)
    return np.full(rows, moments[0], dtype=np.int64) if len(moments) == 1 else moments


def encode_predictions(predictions: Sequence[Prediction]) -> inference_pb2.PredictResponse:
    """The response of a batch."""
    response = inference_pb2.PredictResponse()
    for one in predictions:
        entry = response.predictions.add(
            prediction_id=one.prediction_id,
            model=one.model,
            version=one.version,
            route=one.route,
            replayed=one.replayed,
            degraded=one.degraded,
            fallback=one.fallback,
        )
        for column, did in one.attributions:
            entry.attributions.add(column=column, values=did)
        for view, age_s in one.feature_ages:
            entry.feature_ages.add(view=view, age_s=age_s)
        for name, values in one.outputs.items():
            if values and isinstance(values[0], str):
                entry.outputs.add(name=name, texts=[str(value) for value in values])
            else:
                entry.outputs.add(name=name, values=[float(value) for value in values])
    return response


def encode_batch(answer: Answer, now: datetime, gateway_id: str) -> events_pb2.PredictionBatch:
    """The log's record of an answer."""
    batch = answer.batch
    message = events_pb2.PredictionBatch(
        endpoint=batch.endpoint,
        model=answer.model,
        version=answer.version,
        route=answer.route,
        protocol=_PROTOCOLS[batch.protocol],
        prediction_ids=answer.ids,
        event_times_us=batch.event_times_us.tolist(),
        input_digests=answer.digests or [b""] * batch.rows,
        trace_id=_one_trace(batch),
        gateway_id=gateway_id,
        shadow=answer.shadow,
        experiment=answer.experiment,
        fallback=answer.fallback,
        degraded_rows=answer.degraded,
    )
    if batch.origins:
        rows, tenants, traces, began_s = zip(*batch.origins, strict=True)
        message.request_rows.extend(rows)
        message.trace_ids.extend(traces)
        message.tenants.extend(tenants)
        waited_us = np.maximum(answer.ended_s - np.array(began_s), 0.0) * 1e6
        message.latencies_us.extend(waited_us.astype(np.uint32).tolist())
    for view, times in answer.view_times.items():
        message.view_times.add(view=view, event_times_us=times.tolist())
    for name, taken in answer.fallbacks.items():
        message.feature_fallbacks.add(name=name, rows=taken.tolist())
    seconds = now.timestamp()
    message.answer_time.seconds, message.answer_time.nanos = int(seconds), int(seconds % 1 * 1e6) * 1000
    for column in batch.entity_keys:
        _fill(message.entity_keys.add(name=column.name), column.values, column.absent)
    for name, array in answer.features.items():
        _fill(message.features.add(name=name), array, gaps(array))
    for name, array in answer.outputs.items():
        entry = message.outputs.add(name=name, width=width(array))
        flat = array.ravel().tolist()
        if array.dtype.kind in "OUS":
            entry.texts.extend(str(value) for value in flat)
        else:
            entry.values.extend(flat)
    return message


def _one_trace(batch: Batch) -> str:
    traces = {origin.trace_id for origin in batch.origins} or {batch.trace_id}
    return traces.pop() if len(traces) == 1 else ""


def encode_disabled(disabled: Disabled, gateway_id: str) -> events_pb2.ArmDisabled:
    """The event of an arm that was taken to zero."""
    message = events_pb2.ArmDisabled(
        endpoint=disabled.endpoint,
        route=disabled.route,
        model=disabled.version.model,
        version=disabled.version.number,
        revision=disabled.revision,
        reason=disabled.reason,
        gateway_id=gateway_id,
    )
    message.time.FromDatetime(disabled.time)
    return message


def _fill(column: resources_pb2.Column, array: Array, absent: Sequence[int]) -> None:
    column.absent_rows.extend(absent)
    if array.ndim > 1:
        column.width = width(array)
    match array.dtype.kind:
        case "f" if array.ndim > 1 and array.dtype.itemsize <= _SINGLE:
            # A vector of single precision is logged as one: an event has room for an image of floats, not of doubles.
            column.floats.MergeFromString(packed(array.astype(np.float32, copy=False)))
        case "f":
            column.doubles.MergeFromString(packed(array.astype(np.float64, copy=False)))
        case "u" if array.size and int(array.max()) > _MOST_SIGNED:
            column.uint64s.values.extend(array.ravel().tolist())
        case "i" | "u":
            column.int64s.values.extend(array.ravel().tolist())
        case "b":
            column.bools.values.extend(array.ravel().tolist())
        case _:
            column.strings.values.extend(array.ravel().tolist())


def decode_remembered(value: bytes) -> Iterator[Remembered]:
    """The rows of a logged batch that a retry may ask for again: those with a digest."""
    message = events_pb2.PredictionBatch.FromString(value)
    if not any(message.input_digests):
        return
    moments = np.array(list(message.event_times_us), dtype=np.int64)
    told = {one.view: np.array(list(one.event_times_us), dtype=np.int64) for one in message.view_times}
    ages, degraded = ages_by_row(moments, told), set(message.degraded_rows)
    for row, digest in enumerate(message.input_digests):
        if not digest:
            continue
        outputs: dict[str, tuple[float, ...] | tuple[str, ...]] = {}
        for tensor in message.outputs:
            span = slice(row * tensor.width, (row + 1) * tensor.width)
            outputs[tensor.name] = tuple(tensor.texts[span]) if tensor.texts else tuple(tensor.values[span])
        prediction = Prediction(
            message.prediction_ids[row],
            outputs,
            message.model,
            message.version,
            message.route,
            feature_ages=ages[row],
            degraded=row in degraded,
            fallback=message.fallback,
        )
        yield Remembered(prediction, digest)
