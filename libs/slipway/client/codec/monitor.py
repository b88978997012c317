"""The monitor's messages."""

from __future__ import annotations

from datetime import UTC

from slipway.client.codec.scalars import UINT32_MAX, UINT64_MAX, moment, text, timestamp, whole
from slipway.client.types.monitor import DeadLetter, PredictionCount, PredictionWindow, VersionCount
from slipway.gen.slipway.monitor.v1 import monitor_pb2 as pb
from slipway.gen.slipway.monitor.v1 import resources_pb2 as res


def encode_window(window: PredictionWindow) -> res.PredictionWindow:
    """Encode a window."""
    return res.PredictionWindow(
        endpoint=text("window.endpoint", window.endpoint),
        model=text("window.model", window.model),
        version=whole("window.version", window.version, UINT32_MAX),
        route=text("window.route", window.route),
        start_time=timestamp("window.start_time", window.start_time),
        end_time=timestamp("window.end_time", window.end_time),
        predictions=whole("window.predictions", window.predictions, UINT64_MAX),
    )


def decode_window(message: res.PredictionWindow) -> PredictionWindow:
    """Decode a window."""
    return PredictionWindow(
        endpoint=message.endpoint,
        model=message.model,
        version=message.version,
        route=message.route,
        start_time=message.start_time.ToDatetime(tzinfo=UTC),
        end_time=message.end_time.ToDatetime(tzinfo=UTC),
        predictions=message.predictions,
    )


def decode_count(message: pb.CountPredictionsResponse) -> PredictionCount:
    """Decode an endpoint's predictions."""
    return PredictionCount(
        message.predictions,
        tuple(VersionCount(one.model, one.version, one.predictions) for one in message.versions),
    )


def decode_dead_letter(message: res.DeadLetter) -> DeadLetter:
    """Decode a dead letter."""
    return DeadLetter(
        event_id=message.event_id,
        topic=message.topic,
        partition=message.partition if message.HasField("partition") else None,
        offset=message.offset if message.HasField("offset") else None,
        key=message.key,
        time=moment(message, "time"),
        error=message.error,
        size_bytes=message.size_bytes,
        value=message.value if message.HasField("value") else None,
    )
