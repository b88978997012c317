"""Between the contract's messages and the monitor's values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Protocol

from google.protobuf.message import DecodeError
from google.protobuf.timestamp_pb2 import Timestamp

from services.monitor.domain.batch import Arm, Batch, check_batch
from services.monitor.domain.dead_letter import DeadLetter
from services.monitor.domain.window import PredictionWindow, Span, VersionCount
from slipway.errors import invalid_field
from slipway.events import Event
from slipway.gen.slipway.inference.v1 import events_pb2
from slipway.gen.slipway.monitor.v1 import monitor_pb2, resources_pb2


class _Spanned(Protocol):
    """Any request about a stretch of event time."""

    endpoint: str
    start_time: Timestamp
    end_time: Timestamp

    def HasField(self, field_name: str, /) -> bool: ...  # noqa: N802  (protobuf's name)


def decode_batch(event: Event) -> Batch:
    """A batch of the prediction log. Raises InvalidInput saying why the event holds none that can be counted."""
    try:
        message = events_pb2.PredictionBatch.FromString(event.value)
    except DecodeError:
        raise invalid_field(
            "value", f"{len(event.value)} bytes are not a slipway.inference.v1.PredictionBatch"
        ) from None
    arm = Arm(message.endpoint, message.model, message.version, message.route)
    batch = Batch(event.id, arm, message.event_times_us)
    rows = len(message.prediction_ids)
    check_batch(batch, rows, dict(_lengths(message, rows)))
    return batch


def _lengths(message: events_pb2.PredictionBatch, rows: int) -> Iterator[tuple[str, tuple[int, int]]]:
    """The values that each list has, and those that it needs."""
    yield "event_times_us", (len(message.event_times_us), rows)
    if message.input_digests:  # a batch without any was asked for without ids to retry under
        yield "input_digests", (len(message.input_digests), rows)
    for path, columns in (("entity_keys", message.entity_keys), ("features", message.features)):
        for column in columns:
            kind = column.WhichOneof("values")
            yield f"{path}[{column.name}]", (len(getattr(column, kind).values) if kind else 0, rows)
    for output in message.outputs:
        yield f"outputs[{output.name}]", (len(output.values) or len(output.texts), rows * output.width)


def decode_span(request: _Spanned) -> Span:
    """The stretch of event time that a request is about. Raises InvalidInput naming a time that is none."""
    return Span(request.endpoint, _moment(request, "start_time"), _moment(request, "end_time"))


def _moment(request: _Spanned, field: str) -> datetime | None:
    if not request.HasField(field):
        return None
    stamp: Timestamp = getattr(request, field)
    try:
        return stamp.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise invalid_field(field, "is no moment; give years 1 to 9999 and nanos from 0 to 999999999") from None


def encode_window(window: PredictionWindow) -> resources_pb2.PredictionWindow:
    """A window as the contract has it."""
    arm = window.arm
    return resources_pb2.PredictionWindow(
        endpoint=arm.endpoint,
        model=arm.model,
        version=arm.version,
        route=arm.route,
        start_time=_stamp(window.start_us),
        end_time=_stamp(window.end_us),
        predictions=window.predictions,
    )


def _stamp(moment_us: int) -> Timestamp:
    stamp = Timestamp()
    stamp.FromMicroseconds(moment_us)
    return stamp


def encode_counts(counts: Sequence[VersionCount]) -> monitor_pb2.CountPredictionsResponse:
    """An endpoint's predictions as the contract has them."""
    return monitor_pb2.CountPredictionsResponse(
        predictions=sum(one.predictions for one in counts),
        versions=[
            monitor_pb2.VersionCount(model=one.model, version=one.version, predictions=one.predictions)
            for one in counts
        ],
    )


def encode_dead_letter(letter: DeadLetter) -> resources_pb2.DeadLetter:
    """A letter as the contract has it."""
    return resources_pb2.DeadLetter(
        event_id=letter.event_id,
        topic=letter.topic,
        partition=letter.partition,
        offset=letter.offset,
        key=letter.key,
        time=_sayable(letter.time),
        error=letter.error,
        size_bytes=letter.size_bytes,
        value=letter.value,
    )


def _sayable(moment: datetime) -> Timestamp | None:
    """``moment``, None when its year in UTC is one that neither Python nor a Timestamp has."""
    stamp = Timestamp()
    try:
        stamp.FromDatetime(moment)
    except (ValueError, OverflowError):
        return None
    return stamp
