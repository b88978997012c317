"""The monitor's messages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from slipway.client.codec.scalars import UINT32_MAX, UINT64_MAX, figure, moment, text, timestamp, whole
from slipway.client.types.monitor import (
    CalibrationBin,
    DeadLetter,
    LabelCoverage,
    PerformanceWindow,
    PredictionCount,
    PredictionWindow,
    RecordedLabels,
    VersionCount,
)
from slipway.errors import invalid_field
from slipway.gen.slipway.monitor.v1 import monitor_pb2 as pb
from slipway.gen.slipway.monitor.v1 import resources_pb2 as res

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# What the monitor takes in one call.
_LABELS = 10_000


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


def encode_labels(
    endpoint: str,
    prediction_ids: Sequence[str],
    values: Sequence[float],
    times: Sequence[datetime] | datetime,
    source: str,
) -> Iterator[pb.RecordLabelsRequest]:
    """Labels in requests of a size that the monitor takes; everything is checked before the first one is given."""
    if isinstance(prediction_ids, str):
        raise invalid_field("prediction_ids", "is str; give a sequence of them")
    rows = len(prediction_ids)
    moments = [times] * rows if isinstance(times, datetime) else times
    for field, given in (("values", len(values)), ("label_times", len(moments))):
        if given != rows:
            raise invalid_field(field, f"has {given} entries for {rows} prediction_ids; give one each")
    ids = [text(f"prediction_ids[{at}]", one) for at, one in enumerate(prediction_ids)]
    told = [figure(f"values[{at}]", one) for at, one in enumerate(values)]
    times_us = [_microseconds(f"label_times[{at}]", one) for at, one in enumerate(moments)]
    named = {"endpoint": text("endpoint", endpoint), "source": text("source", source)}
    return (
        pb.RecordLabelsRequest(
            **named,
            prediction_ids=ids[at : at + _LABELS],
            values=told[at : at + _LABELS],
            label_times_us=times_us[at : at + _LABELS],
        )
        for at in range(0, max(rows, 1), _LABELS)
    )


def _microseconds(field: str, time: datetime) -> int:
    if not isinstance(time, datetime) or time.tzinfo is None:
        raise invalid_field(field, "is no moment; give a datetime with a time zone")
    return (time - _EPOCH) // timedelta(microseconds=1)


def add_recorded(before: RecordedLabels, message: pb.RecordLabelsResponse) -> RecordedLabels:
    """What became of the labels ``before`` and of those that ``message`` answers."""
    return RecordedLabels(
        recorded=before.recorded + message.recorded,
        corrected=before.corrected + message.corrected,
        repeated=before.repeated + message.repeats,
        ignored=before.ignored + message.ignored,
        joined=before.joined + message.joined,
    )


def decode_performance(message: res.PerformanceWindow) -> PerformanceWindow:
    """Decode a performance window."""
    return PerformanceWindow(
        endpoint=message.endpoint,
        model=message.model,
        version=message.version,
        route=message.route,
        start_time=message.start_time.ToDatetime(tzinfo=UTC),
        end_time=message.end_time.ToDatetime(tzinfo=UTC),
        predictions=message.predictions,
        joined=message.joined,
        newest_label_time=moment(message, "newest_label_time"),
        mean_label_delay_s=_known(message, "mean_label_delay_s"),
        classified=message.classified,
        positives=message.positives,
        auc=_known(message, "auc"),
        log_loss=_known(message, "log_loss"),
        brier=_known(message, "brier"),
        measured=message.measured,
        mean_absolute_error=_known(message, "mean_absolute_error"),
        root_mean_squared_error=_known(message, "root_mean_squared_error"),
        calibration=tuple(
            CalibrationBin(one.lower, one.upper, one.predictions, one.mean_score, one.positive_rate)
            for one in message.calibration
        ),
        negative_bins=tuple(message.negative_bins),
        positive_bins=tuple(message.positive_bins),
    )


def _known(message: res.PerformanceWindow, field: str) -> float | None:
    return float(getattr(message, field)) if message.HasField(field) else None


def decode_coverage(message: res.LabelCoverage) -> LabelCoverage:
    """Decode how far labels have come."""
    return LabelCoverage(
        endpoint=message.endpoint,
        predictions=message.predictions,
        joined=message.joined,
        newest_label_time=moment(message, "newest_label_time"),
        labels_joined=message.labels_joined,
        labels_waiting=message.labels_waiting,
        labels_expired=message.labels_expired,
        labels_corrected=message.labels_corrected,
        labels_repeated=message.labels_repeated,
        labels_ignored=message.labels_ignored,
    )
