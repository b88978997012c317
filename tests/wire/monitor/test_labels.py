from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import grpc.aio
import pytest

from slipway.client import LabelCoverage, RecordedLabels
from slipway.gen.slipway.inference.v1 import events_pb2
from slipway.gen.slipway.monitor.v1 import monitor_pb2 as pb

NOON = datetime(2013, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
WEEK = timedelta(days=7)
SCORES = {"a": 0.9, "b": 0.1, "c": 0.6, "d": 0.4}


def scored(monitor: Any, event_id: str = "e1", moment: datetime = NOON, **changes: Any) -> Any:
    outputs = [
        events_pb2.OutputColumn(name="wide", width=2, values=[0.5] * 2 * len(SCORES)),
        events_pb2.OutputColumn(name="label", width=1, texts=["late"] * len(SCORES)),
        events_pb2.OutputColumn(name="probability", width=1, values=list(SCORES.values())),
    ]
    given: dict[str, Any] = {"prediction_ids": list(SCORES), "outputs": outputs, **changes}
    return monitor.event(event_id, monitor.batch(*[moment] * len(SCORES), **given))


async def joined(monitor: Any, wanted: int) -> None:
    async def is_so() -> bool:
        coverage = await monitor.client.monitor.coverage("flight-delay")
        return bool(coverage[0].joined == wanted)

    await monitor.eventually(is_so)


@pytest.mark.parametrize("labels_first", [True, False])
async def test_labels_join_predictions_in_whatever_order_they_come(monitor: Any, labels_first: bool) -> None:
    truth = monitor.labels(
        ("a", 1, NOON + HOUR), ("b", 0, NOON + HOUR), ("c", 0, NOON + 2 * HOUR), ("unknown", 1, NOON), event_id="e1"
    )
    events = [truth, scored(monitor)] if labels_first else [scored(monitor), truth]
    for event in (*events, *events):
        await monitor.publisher.publish([event])
    await joined(monitor, 3)
    (window,) = [one async for one in monitor.client.monitor.performance("flight-delay")]
    assert (window.model, window.version, window.route) == ("flights", 3, "main")
    assert window.start_time <= NOON < window.end_time == window.start_time + WEEK
    assert (window.predictions, window.joined, window.classified, window.positives) == (4, 3, 3, 1)
    assert (window.coverage, window.auc, window.newest_label_time) == (0.75, 1.0, NOON + 2 * HOUR)
    assert window.brier == pytest.approx((0.01 + 0.01 + 0.36) / 3)
    assert window.mean_label_delay_s == pytest.approx(4 * 3600 / 3)
    assert sum(one.predictions for one in window.calibration) == 3
    (coverage,) = await monitor.client.monitor.coverage()
    assert coverage == LabelCoverage("flight-delay", 4, 3, NOON + 2 * HOUR, labels_joined=3, labels_waiting=1)


async def test_a_call_records_labels_and_may_be_repeated_and_corrected(monitor: Any) -> None:
    await monitor.publisher.publish([scored(monitor)])
    await monitor.until(4)
    record = monitor.client.monitor.record_labels
    first = await record("flight-delay", ["a", "b", "x"], [1, 0, 1], NOON + HOUR, source="tower")
    assert first == RecordedLabels(recorded=3, joined=2)
    again = await record("flight-delay", ["a", "b", "x"], [1, 0, 1], [NOON + HOUR] * 3)
    assert again == RecordedLabels(repeated=3)
    mixed = await record("flight-delay", ["a", "b"], [0, 1], [NOON + 2 * HOUR, NOON])
    assert mixed == RecordedLabels(corrected=1, ignored=1)
    (window,) = [one async for one in monitor.client.monitor.performance()]
    assert (window.joined, window.positives, window.newest_label_time) == (2, 0, NOON + 2 * HOUR)
    (coverage,) = await monitor.client.monitor.coverage("flight-delay")
    assert (coverage.labels_corrected, coverage.labels_repeated, coverage.labels_ignored) == (1, 3, 1)
    assert (coverage.labels_joined, coverage.labels_waiting, coverage.labels_expired) == (2, 1, 0)


async def test_more_labels_than_a_call_takes_go_in_several(monitor: Any) -> None:
    ids = [str(number) for number in range(10_001)]
    recorded = await monitor.client.monitor.record_labels("flight-delay", ids, [1.0] * len(ids), NOON)
    assert recorded == RecordedLabels(recorded=10_001)
    assert await monitor.client.monitor.record_labels("flight-delay", [], [], []) == RecordedLabels()


async def test_amounts_have_errors_and_no_figures_of_classes(monitor: Any) -> None:
    minutes = events_pb2.OutputColumn(name="minutes", width=1, values=[10.0, 20.0, -5.0, float("nan")])
    await monitor.publisher.publish([scored(monitor, outputs=[minutes])])
    await monitor.until(4)
    await monitor.client.monitor.record_labels("flight-delay", ["a", "b", "d"], [13.0, 16.0, 3.0], NOON)
    (window,) = [one async for one in monitor.client.monitor.performance()]
    assert (window.joined, window.measured, window.classified, window.auc) == (3, 2, 0, None)
    assert window.mean_absolute_error == pytest.approx(3.5)
    assert window.root_mean_squared_error == pytest.approx(12.5**0.5)


async def test_histograms_come_when_asked_for(monitor: Any) -> None:
    await monitor.publisher.publish([scored(monitor)])
    await monitor.until(4)
    await monitor.client.monitor.record_labels("flight-delay", ["a", "b"], [1, 0], NOON)
    (without,) = [one async for one in monitor.client.monitor.performance()]
    assert (without.negative_bins, without.positive_bins) == ((), ())
    (window,) = [one async for one in monitor.client.monitor.performance(histograms=True)]
    assert (len(window.negative_bins), len(window.positive_bins)) == (512, 512)
    assert (window.negative_bins[51], window.positive_bins[460], sum(window.positive_bins)) == (1, 1, 1)


async def test_a_stretch_of_event_time_bounds_windows_and_coverage(monitor: Any) -> None:
    later = scored(monitor, "e2", NOON + 5 * WEEK, prediction_ids=["e", "f", "g", "h"])
    await monitor.publisher.publish([scored(monitor), later])
    await monitor.until(8)
    await monitor.client.monitor.record_labels("flight-delay", ["a", "e", "f"], [1, 0, 1], NOON + 6 * WEEK)
    (window,) = [one async for one in monitor.client.monitor.performance(start=NOON)]
    assert (window.joined, window.predictions) == (2, 4)
    (coverage,) = await monitor.client.monitor.coverage("flight-delay", end=NOON)
    assert (coverage.joined, coverage.predictions, coverage.labels_joined) == (1, 4, 3)


async def test_an_endpoint_that_was_never_seen_has_no_labels(monitor: Any) -> None:
    assert await monitor.client.monitor.coverage("never-seen") == [LabelCoverage("never-seen", 0, 0)]
    assert await monitor.client.monitor.coverage() == []
    assert [one async for one in monitor.client.monitor.performance("never-seen")] == []


async def test_pages_are_followed_by_their_token(monitor: Any) -> None:
    events = [scored(monitor, f"e{n}", NOON + n * WEEK, prediction_ids=[f"{n}{i}" for i in "abcd"]) for n in range(5)]
    await monitor.publisher.publish(events)
    await monitor.until(20)
    seen: list[datetime] = []
    request = pb.ListPerformanceWindowsRequest(page_size=2)
    async with grpc.aio.insecure_channel(monitor.address) as channel:
        call = channel.unary_unary(
            "/slipway.monitor.v1.MonitorService/ListPerformanceWindows",
            request_serializer=pb.ListPerformanceWindowsRequest.SerializeToString,
            response_deserializer=pb.ListPerformanceWindowsResponse.FromString,
        )
        for size in (2, 2, 1):
            page = await call(request, timeout=30)
            assert len(page.windows) == size
            seen += [one.start_time.ToDatetime(tzinfo=UTC) for one in page.windows]
            request.page_token = page.next_page_token
    assert seen == [seen[0] + n * WEEK for n in range(5)]
    assert request.page_token == ""


async def test_junk_among_labels_is_set_aside_with_the_reason_and_the_rest_joins(monitor: Any) -> None:
    good = monitor.labels(("a", 1, NOON), event_id="good")
    junk = type(good)("junk", good.topic, "k", "t", "/tower", NOON, b"\xff\xff")
    poison = {
        "nan": monitor.labels(("b", float("nan"), NOON), event_id="nan"),
        "nameless": monitor.labels(("", 1, NOON), event_id="nameless"),
        "nowhere": monitor.labels(("b", 1, NOON), endpoint="", event_id="nowhere"),
    }
    bad_prediction = monitor.event("prediction", b"\xff")
    await monitor.publisher.publish([junk, *poison.values(), bad_prediction, good, scored(monitor)])
    await joined(monitor, 1)

    async def set_aside() -> bool:
        return len([one async for one in monitor.client.monitor.dead_letters()]) == 5

    await monitor.eventually(set_aside)
    letters = [one async for one in monitor.client.monitor.dead_letters()]
    assert [one.event_id for one in letters] == ["prediction", "junk", "nan", "nameless", "nowhere"]
    assert [one.topic for one in letters] == ["inference.predictions.v1"] + ["monitor.labels.v1"] * 4
    for letter, told in zip(
        letters[1:], ("2 bytes", "values[0]", "prediction_ids[0]", "endpoint: is empty"), strict=True
    ):
        assert told in letter.error
