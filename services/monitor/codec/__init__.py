"""Between the contract's messages and the monitor's values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Protocol

from google.protobuf.message import DecodeError
from google.protobuf.timestamp_pb2 import Timestamp

from services.monitor.codec.columns import decode_columns
from services.monitor.codec.judged import stamp as _stamp
from services.monitor.domain.batch import Arm, Batch, check_batch
from services.monitor.domain.coverage import Coverage
from services.monitor.domain.dead_letter import DeadLetter
from services.monitor.domain.figures import PerformanceWindow
from services.monitor.domain.label import LabelBatch, LabelTally, check_labels
from services.monitor.domain.merged import merged
from services.monitor.domain.window import PredictionWindow, Span, VersionCount
from slipway.errors import FieldViolation, InvalidInput, invalid_field
from slipway.events import Event
from slipway.gen.slipway.inference.v1 import events_pb2
from slipway.gen.slipway.monitor.v1 import events_pb2 as label_events_pb2
from slipway.gen.slipway.monitor.v1 import monitor_pb2, resources_pb2


class _Spanned(Protocol):
    """Any request about a stretch of event time."""

    endpoint: str
    start_time: Timestamp
    end_time: Timestamp

    def HasField(self, field_name: str, /) -> bool: ...  # noqa: N802  (protobuf's name)


def decode_batches(event: Event) -> list[Batch]:
    """The batches that an event of the prediction log brings, merged where they count as one.

    Default answers are left out: no version gave them, and nothing is counted of them. The first batch has the event's
    id, a later one has ``#`` and its number behind it, for each is claimed by itself. Raises InvalidInput saying why
    the event can't be counted: none of it is when one batch is unsound.
    """
    try:
        first = events_pb2.PredictionBatch.FromString(event.value)
    except DecodeError:
        raise invalid_field(
            "value", f"{len(event.value)} bytes are not a slipway.inference.v1.PredictionBatch"
        ) from None
    made = [_batch(event.id, first), *(_later(event.id, place, one) for place, one in enumerate(first.more))]
    return merged(batch for batch in made if batch is not None)


def _later(event_id: str, place: int, message: events_pb2.PredictionBatch) -> Batch | None:
    try:
        if message.more:
            raise invalid_field("more", "is not empty; put all batches of an event into its first one")
        return _batch(f"{event_id}#{place + 1}", message)
    except InvalidInput as error:
        path = f"more[{place}]"
        wrong = [FieldViolation(f"{path}.{one.field}", one.description) for one in error.violations]
        raise InvalidInput(f"{path}: {error.message}", violations=wrong) from None


def _batch(event_id: str, message: events_pb2.PredictionBatch) -> Batch | None:
    if message.fallback and not message.version:
        return None
    arm = Arm(message.endpoint, message.model, message.version, message.route)
    told = (message.prediction_ids, message.event_times_us, _scores(message), message.shadow)
    batch = Batch(event_id, arm, *told)
    check_batch(batch, dict(_lengths(message, len(message.prediction_ids))))
    # A shadow's features are those of the arm that answered: they are counted there.
    return batch if message.shadow else replace(batch, features=decode_columns(message.features))


def _scores(message: events_pb2.PredictionBatch) -> Sequence[float]:
    """The first output with one number a row; empty without one."""
    return next((output.values for output in message.outputs if output.width == 1 and output.values), ())


def decode_labels(event: Event) -> LabelBatch:
    """A batch of labels. Raises InvalidInput saying why the event holds none that can be kept."""
    try:
        message = label_events_pb2.LabelBatch.FromString(event.value)
    except DecodeError:
        raise invalid_field("value", f"{len(event.value)} bytes are not a slipway.monitor.v1.LabelBatch") from None
    return check_labels(decode_label_batch(message))


def decode_label_batch(message: label_events_pb2.LabelBatch | monitor_pb2.RecordLabelsRequest) -> LabelBatch:
    """Labels as an event or a call brings them, unchecked."""
    return LabelBatch(message.endpoint, message.prediction_ids, message.values, message.label_times_us, message.source)


def _lengths(message: events_pb2.PredictionBatch, rows: int) -> Iterator[tuple[str, tuple[int, int]]]:
    """The values that each list has, and those that it needs."""
    yield "event_times_us", (len(message.event_times_us), rows)
    if message.input_digests:  # a batch without any was asked for without ids to retry under
        yield "input_digests", (len(message.input_digests), rows)
    for path, columns in (("entity_keys", message.entity_keys), ("features", message.features)):
        for column in columns:
            kind = column.WhichOneof("values")
            yield (
                f"{path}[{column.name}]",
                (len(getattr(column, kind).values) if kind else 0, rows * max(column.width, 1)),
            )
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


def encode_performance(window: PerformanceWindow, *, with_bins: bool) -> resources_pb2.PerformanceWindow:
    """A performance window as the contract has it."""
    key, sums = window.key, window.sums
    message = resources_pb2.PerformanceWindow(
        endpoint=key.arm.endpoint,
        model=key.arm.model,
        version=key.arm.version,
        route=key.arm.route,
        start_time=_stamp(key.start_us),
        end_time=_stamp(key.end_us),
        predictions=sums.predictions,
        joined=sums.joined,
        newest_label_time=None if sums.newest_label_us is None else _stamp(sums.newest_label_us),
        mean_label_delay_s=window.mean_label_delay_s,
        classified=window.classified,
        positives=sum(window.positives),
        auc=window.auc,
        log_loss=window.log_loss,
        brier=window.brier,
        calibration=[resources_pb2.CalibrationBin(**asdict(one)) for one in window.calibration],
        measured=sums.measured,
        mean_absolute_error=window.mean_absolute_error,
        root_mean_squared_error=window.root_mean_squared_error,
    )
    if with_bins:
        message.negative_bins.extend(window.negatives)
        message.positive_bins.extend(window.positives)
    return message


def encode_coverage(coverage: Coverage) -> resources_pb2.LabelCoverage:
    """How far labels have come, as the contract has it."""
    labels, newest_us = coverage.labels, coverage.newest_label_us
    return resources_pb2.LabelCoverage(
        endpoint=coverage.endpoint,
        predictions=coverage.predictions,
        joined=coverage.joined,
        newest_label_time=None if newest_us is None else _stamp(newest_us),
        labels_joined=labels.joined,
        labels_waiting=labels.waiting,
        labels_expired=labels.expired,
        labels_corrected=labels.corrected,
        labels_repeated=labels.repeated,
        labels_ignored=labels.ignored,
    )


def encode_tally(tally: LabelTally) -> monitor_pb2.RecordLabelsResponse:
    """What became of a call's labels, as the contract has it."""
    return monitor_pb2.RecordLabelsResponse(
        recorded=tally.recorded,
        corrected=tally.corrected,
        repeats=tally.repeated,
        ignored=tally.ignored,
        joined=tally.joined,
    )


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
