from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from services.monitor.codec import (
    decode_batches,
    decode_labels,
    decode_span,
    encode_coverage,
    encode_dead_letter,
    encode_performance,
    encode_window,
)
from services.monitor.domain.batch import Arm
from services.monitor.domain.coverage import Coverage
from services.monitor.domain.dead_letter import DeadLetter
from services.monitor.domain.figures import PerformanceWindow
from services.monitor.domain.label import LabelTally
from services.monitor.domain.performance import Sums, WindowKey
from services.monitor.domain.window import PredictionWindow, Span
from slipway.errors import InvalidInput
from slipway.events import Event
from slipway.gen.slipway.inference.v1 import events_pb2, resources_pb2
from slipway.gen.slipway.monitor.v1 import monitor_pb2
from slipway.gen.slipway.monitor.v1.events_pb2 import LabelBatch as LabelMessage

NOW = datetime(2013, 1, 1, tzinfo=UTC)


def batch() -> events_pb2.PredictionBatch:
    return events_pb2.PredictionBatch(
        endpoint="flight-delay",
        model="flights",
        version=3,
        route="main",
        prediction_ids=["a", "b"],
        event_times_us=[1, 2],
        input_digests=[b"x" * 16, b"y" * 16],
        entity_keys=[resources_pb2.Column(name="carrier", strings={"values": ["UA", "AA"]})],
        features=[resources_pb2.Column(name="distance", doubles={"values": [1.0, 2.0]}, absent_rows=[1])],
        outputs=[events_pb2.OutputColumn(name="probability", width=2, values=[0.1, 0.9, 0.2, 0.8])],
    )


def event(value: bytes) -> Event:
    return Event("e1", "inference.predictions.v1", "flight-delay", "t", "/gateway", NOW, value)


def test_a_batch_is_read() -> None:
    [read] = decode_batches(event(batch().SerializeToString()))
    assert (read.event_id, read.arm) == ("e1", Arm("flight-delay", "flights", 3, "main"))
    assert (list(read.prediction_ids), list(read.event_times_us), list(read.scores)) == (["a", "b"], [1, 2], [])


def test_the_score_is_the_first_output_with_one_number_a_row() -> None:
    message = batch()
    message.outputs.add(name="label", width=1, texts=["late", "late"])
    message.outputs.add(name="score", width=1, values=[0.5, 0.25])
    message.outputs.add(name="other", width=1, values=[7, 8])
    [read] = decode_batches(event(message.SerializeToString()))
    assert list(read.scores) == [0.5, 0.25]


def test_labels_are_read() -> None:
    message = LabelMessage(endpoint="e", prediction_ids=["a"], values=[1], label_times_us=[-3], source="tower")
    read = decode_labels(event(message.SerializeToString()))
    assert (read.endpoint, list(read.prediction_ids), list(read.values), list(read.times_us), read.source) == (
        "e",
        ["a"],
        [1.0],
        [-3],
        "tower",
    )


@pytest.mark.parametrize("value", [b"\xff\xff\xff", b"{}", b"not protobuf at all"])
def test_bytes_that_are_no_labels_are_refused(value: bytes) -> None:
    with pytest.raises(InvalidInput, match=r"bytes are not a slipway\.monitor\.v1\.LabelBatch"):
        decode_labels(event(value))


def test_a_window_without_labels_leaves_figures_out() -> None:
    window = PerformanceWindow(WindowKey(Arm("e", "m", 1, "r"), -10, 0), Sums(predictions=2))
    message = encode_performance(window, with_bins=False)
    absent = ("newest_label_time", "mean_label_delay_s", "auc", "log_loss", "brier")
    assert not any(message.HasField(name) for name in (*absent, "mean_absolute_error", "root_mean_squared_error"))
    assert (message.predictions, message.joined, len(message.negative_bins)) == (2, 0, 0)
    assert len(encode_performance(window, with_bins=True).negative_bins) == 512


def test_coverage_is_written() -> None:
    message = encode_coverage(Coverage("e", 4, 1, 5_000_000, LabelTally(5, 1, 2, 3, 1, 2)))
    assert (message.predictions, message.joined, message.newest_label_time.seconds) == (4, 1, 5)
    assert (message.labels_joined, message.labels_waiting, message.labels_expired) == (1, 2, 2)
    assert (message.labels_corrected, message.labels_repeated, message.labels_ignored) == (1, 2, 3)
    assert not encode_coverage(Coverage("e")).HasField("newest_label_time")


def test_a_tensor_of_text_is_measured_by_its_texts() -> None:
    message = batch()
    message.outputs.add(name="label", width=1, texts=["late", "late"])
    assert len(decode_batches(event(message.SerializeToString()))) == 1


def test_a_batch_that_nobody_may_retry_has_no_digests() -> None:
    message = batch()
    del message.input_digests[:]
    assert len(decode_batches(event(message.SerializeToString()))) == 1


@pytest.mark.parametrize("value", [b"\xff\xff\xff", b"{}", b"not protobuf at all"])
def test_bytes_of_something_else_are_refused(value: bytes) -> None:
    with pytest.raises(InvalidInput, match=r"bytes are not a slipway\.inference\.v1\.PredictionBatch"):
        decode_batches(event(value))


def test_no_bytes_are_a_batch_without_an_endpoint() -> None:
    with pytest.raises(InvalidInput, match="endpoint: is empty"):
        decode_batches(event(b""))


def test_each_list_of_another_length_is_named() -> None:
    message = batch()
    del message.event_times_us[1]
    del message.input_digests[1]
    del message.entity_keys[0].strings.values[1]
    message.features[0].ClearField("doubles")
    del message.outputs[0].values[3]
    with pytest.raises(InvalidInput) as raised:
        decode_batches(event(message.SerializeToString()))
    assert [one.field for one in raised.value.violations] == [
        "event_times_us",
        "input_digests",
        "entity_keys[carrier]",
        "features[distance]",
        "outputs[probability]",
    ]


def several(*changes: dict[str, object]) -> Event:
    """An event of as many batches, one row each; one differs from the others in its ids, and as its changes say."""
    first, *more = (
        events_pb2.PredictionBatch(
            **{
                "endpoint": "flight-delay",
                "model": "flights",
                "version": 3,
                "route": "main",
                "prediction_ids": [f"p{place}"],
                "event_times_us": [place],
                **change,
            }  # type: ignore[arg-type]
        )
        for place, change in enumerate(changes)
    )
    first.more.extend(more)
    return event(first.SerializeToString())


def told(given: Event) -> list[tuple[str, int, list[str]]]:
    return [(one.event_id, one.arm.version, list(one.prediction_ids)) for one in decode_batches(given)]


def test_each_batch_of_an_event_has_an_id_of_its_own() -> None:
    found = told(several({"version": 1}, {"version": 2}, {"version": 3}))
    assert found == [("e1", 1, ["p0"]), ("e1#1", 2, ["p1"]), ("e1#2", 3, ["p2"])]


def test_batches_of_an_arm_are_one_with_the_id_of_the_first() -> None:
    given = several({"version": 1}, {"version": 2}, {"version": 1}, {"version": 2})
    assert told(given) == [("e1", 1, ["p0", "p2"]), ("e1#1", 2, ["p1", "p3"])]


def test_default_answers_are_left_out_wherever_they_stand() -> None:
    default = {"version": 0, "fallback": True}
    assert told(several(default)) == []
    assert told(several(default, {}, default, {"version": 4})) == [("e1#1", 3, ["p1"]), ("e1#3", 4, ["p3"])]
    assert told(several({}, {"fallback": True, "version": 2})) == [("e1", 3, ["p0"]), ("e1#1", 2, ["p1"])]


def test_a_later_batch_that_is_unsound_is_named_by_its_place() -> None:
    with pytest.raises(InvalidInput, match=r"^more\[1\]: event_times_us: has 2 values") as raised:
        decode_batches(several({}, {}, {"event_times_us": [1, 2], "input_digests": [b"", b""]}))
    assert [one.field for one in raised.value.violations] == ["more[1].event_times_us", "more[1].input_digests"]
    with pytest.raises(InvalidInput, match=r"^endpoint: is empty"):
        decode_batches(several({"endpoint": ""}, {}))


def test_a_later_batch_that_brings_others_is_unsound() -> None:
    with pytest.raises(InvalidInput, match=r"^more\[0\]: more: is not empty"):
        decode_batches(several({}, {"more": [batch()]}))


def test_absent_times_are_open_ends() -> None:
    assert decode_span(monitor_pb2.CountPredictionsRequest(endpoint="e")) == Span("e")


def test_times_are_read_in_utc() -> None:
    request = monitor_pb2.ListPredictionWindowsRequest(start_time=NOW)
    assert decode_span(request) == Span("", NOW)


@pytest.mark.parametrize("stamp", [Timestamp(seconds=2**60), Timestamp(nanos=-5), Timestamp(seconds=-(2**60))])
def test_a_time_that_is_none_is_refused(stamp: Timestamp) -> None:
    with pytest.raises(InvalidInput, match="end_time: is no moment"):
        decode_span(monitor_pb2.ListPredictionWindowsRequest(end_time=stamp))


def test_a_window_is_written() -> None:
    window = PredictionWindow(Arm("e", "m", 1, "r"), -3_600_000_000, 0, 7)
    message = encode_window(window)
    assert message.start_time.ToDatetime(tzinfo=UTC) == datetime(1969, 12, 31, 23, tzinfo=UTC)
    assert (message.end_time.seconds, message.predictions, message.route) == (0, 7, "r")


def test_a_dead_letter_is_written_as_far_as_it_says() -> None:
    message = encode_dead_letter(DeadLetter(7, "e", "t", 0, 0, "k", NOW, "why", 0, b""))
    assert (message.partition, message.offset, message.value) == (0, 0, b"")
    assert all(message.HasField(name) for name in ("partition", "offset", "value"))
    assert message.time.ToDatetime(tzinfo=UTC) == NOW
    year_zero = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1)))
    message = encode_dead_letter(DeadLetter(7, "e", "", None, None, "k", year_zero, "", 2, None))
    assert not any(message.HasField(name) for name in ("partition", "offset", "value", "time"))
