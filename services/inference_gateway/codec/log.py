"""The log's records of answers, and what they tell of rows that may be asked about again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from math import isnan

import numpy as np

from services.inference_gateway.domain.answer import Answer, Prediction, ages_by_row
from services.inference_gateway.domain.batch import Batch, Protocol
from services.inference_gateway.domain.columns import Array, gaps, width
from services.inference_gateway.domain.packed import packed
from services.inference_gateway.ports import Remembered
from slipway.gen.slipway.inference.v1 import events_pb2, resources_pb2

_PROTOCOLS = {
    Protocol.PREDICT: events_pb2.PROTOCOL_PREDICT,
    Protocol.OPEN_INFERENCE: events_pb2.PROTOCOL_OPEN_INFERENCE,
}
_SINGLE = 4  # bytes
_FEW = 64  # numbers that are less work as a list than as an array
_MOST_SIGNED = 2**63 - 1


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
        _fill_feature(message.features.add(name=name), array)
    for name, array in answer.outputs.items():
        tensor = message.outputs.add(name=name, width=width(array))
        flat = array.ravel().tolist()
        if array.dtype.kind in "OUS":
            tensor.texts.extend(str(value) for value in flat)
        else:
            tensor.values.extend(flat)
    return message


def _one_trace(batch: Batch) -> str:
    traces = {origin.trace_id for origin in batch.origins} or {batch.trace_id}
    return traces.pop() if len(traces) == 1 else ""


def _fill_feature(column: resources_pb2.Column, array: Array) -> None:
    if array.ndim > 1 or array.dtype.kind != "f" or array.size > _FEW:
        _fill(column, array, gaps(array))
        return
    numbers = array.tolist()
    column.doubles.values.extend(numbers)
    if absent := [row for row, number in enumerate(numbers) if isnan(number)]:
        column.absent_rows.extend(absent)


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
