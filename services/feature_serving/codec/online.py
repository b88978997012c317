"""Columns of rows and of answers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from google.protobuf.message import DecodeError
from google.protobuf.timestamp_pb2 import Timestamp

from services.feature_serving.codec.fallback import encode_scalar
from services.feature_serving.domain.answer import AnswerColumn
from services.feature_serving.domain.column import Column, Shape
from services.feature_serving.domain.reading import Question
from services.feature_serving.domain.rows import Rows
from services.feature_serving.domain.service import reference
from services.feature_serving.domain.watermark import Watermark
from slipway.errors import invalid_field
from slipway.gen.slipway.features.v1 import events_pb2, features_pb2, resources_pb2


def decode_event(value: bytes) -> Rows:
    """The rows of an event. Raises InvalidInput when its bytes are none."""
    try:
        return decode_rows(events_pb2.FeatureRows.FromString(value))
    except DecodeError:
        raise invalid_field("value", f"{len(value)} bytes are not a slipway.features.v1.FeatureRows") from None


def push_id(message: events_pb2.FeatureRows) -> str:
    """What a call's rows are known by: the same rows are the same call again."""
    return "push:" + hashlib.sha256(message.SerializeToString(deterministic=True)).hexdigest()


def decode_rows(message: events_pb2.FeatureRows) -> Rows:
    """Rows of a view."""
    return Rows(
        message.view,
        _columns(message.entities),
        _columns(message.features),
        message.event_times_us,
        message.complete_until_us,
    )


def decode_question(message: features_pb2.GetOnlineFeaturesRequest) -> Question:
    """What is asked. Raises InvalidInput about a feature that is not spelt ``view:feature``."""
    features = [reference(f"features[{n}]", text) for n, text in enumerate(message.features)]
    return Question(message.feature_service, features, _columns(message.entities), message.event_times_us)


def _columns(messages: Iterable[resources_pb2.Column]) -> Sequence[Column]:
    return [_column(message) for message in messages]


def _column(message: resources_pb2.Column) -> Column:
    absent = frozenset(message.absent_rows)
    kind = message.WhichOneof("values")
    if kind is None:
        return Column(message.name, None, (), absent)
    if kind == "timestamps":
        return Column(message.name, Shape.TIMESTAMPS, message.timestamps.values_us, absent)
    return Column(message.name, Shape(kind), getattr(message, kind).values, absent)


def encode_answer(columns: Iterable[AnswerColumn]) -> features_pb2.GetOnlineFeaturesResponse:
    """The answer to a question."""
    return features_pb2.GetOnlineFeaturesResponse(columns=[_answer_column(column) for column in columns])


def _answer_column(column: AnswerColumn) -> resources_pb2.FeatureColumn:
    # A status has the number of the contract's.
    message = resources_pb2.FeatureColumn(
        name=column.name,
        statuses=column.statuses,  # type: ignore[arg-type]
        event_times_us=column.event_times_us,
    )
    if column.fallback is not None:
        message.fallback.CopyFrom(encode_scalar(column.fallback.value, column.shape))
    if column.shape is Shape.TIMESTAMPS:
        message.timestamps.values_us.extend(column.values)
    else:
        getattr(message, column.shape).values.extend(column.values)
    return message


def encode_watermark(watermark: Watermark) -> resources_pb2.Watermark:
    """A watermark as the contract has it."""
    updated = Timestamp()
    updated.FromDatetime(watermark.update_time)
    return resources_pb2.Watermark(
        view=watermark.view,
        event_time_us=watermark.event_time_us,
        update_time=updated,
        late_rows=watermark.late_rows,
    )
