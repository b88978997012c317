from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from google.protobuf.message import Message

from slipway.errors import Kind
from slipway.gen.slipway.monitor.v1 import monitor_pb2 as pb

NOON = datetime(2013, 6, 1, 12, tzinfo=UTC)


def labels(**changes: Any) -> pb.RecordLabelsRequest:
    given = {"endpoint": "e", "prediction_ids": ["a"], "values": [1.0], "label_times_us": [0]}
    return pb.RecordLabelsRequest(**{**given, **changes})


@pytest.mark.parametrize(
    "method",
    [
        "ListPredictionWindows",
        "CountPredictions",
        "ListDeadLetters",
        "RecordLabels",
        "ListPerformanceWindows",
        "GetLabelCoverage",
    ],
)
async def test_junk_bytes_are_an_invalid_argument(monitor: Any, method: str) -> None:
    error = await monitor.refused(method, b"\xff\xff\xff")
    assert (error.kind, error.reason) == (Kind.INVALID_ARGUMENT, "MALFORMED_MESSAGE")


@pytest.mark.parametrize(
    ("method", "request_", "field"),
    [
        ("ListPredictionWindows", pb.ListPredictionWindowsRequest(endpoint="No Such!"), "endpoint"),
        ("ListPredictionWindows", pb.ListPredictionWindowsRequest(page_size=501), "page_size"),
        ("ListPredictionWindows", pb.ListPredictionWindowsRequest(page_size=-1), "page_size"),
        ("ListPredictionWindows", pb.ListPredictionWindowsRequest(page_token="junk"), "page_token"),
        ("ListPredictionWindows", pb.ListPredictionWindowsRequest(page_token="WyJhIl0="), "page_token"),
        ("ListPredictionWindows", pb.ListPredictionWindowsRequest(start_time=NOON, end_time=NOON), "start_time"),
        ("ListPredictionWindows", pb.ListPredictionWindowsRequest(start_time={"seconds": 2**60}), "start_time"),
        ("ListDeadLetters", pb.ListDeadLettersRequest(page_size=501), "page_size"),
        ("ListDeadLetters", pb.ListDeadLettersRequest(page_size=-1), "page_size"),
        ("ListDeadLetters", pb.ListDeadLettersRequest(page_token="junk"), "page_token"),
        ("ListDeadLetters", pb.ListDeadLettersRequest(page_token="Wy0xXQ=="), "page_token"),
        ("ListPerformanceWindows", pb.ListPerformanceWindowsRequest(endpoint="No Such!"), "endpoint"),
        ("ListPerformanceWindows", pb.ListPerformanceWindowsRequest(page_size=501), "page_size"),
        ("ListPerformanceWindows", pb.ListPerformanceWindowsRequest(page_token="WyJhIl0="), "page_token"),
        ("ListPerformanceWindows", pb.ListPerformanceWindowsRequest(start_time=NOON, end_time=NOON), "start_time"),
        ("GetLabelCoverage", pb.GetLabelCoverageRequest(endpoint="No Such!"), "endpoint"),
        ("GetLabelCoverage", pb.GetLabelCoverageRequest(start_time=NOON, end_time=NOON), "start_time"),
        ("RecordLabels", pb.RecordLabelsRequest(), "endpoint"),
        ("RecordLabels", labels(endpoint="e/../f"), "endpoint"),
        ("RecordLabels", labels(prediction_ids=[""]), "prediction_ids[0]"),
        ("RecordLabels", labels(prediction_ids=["a", "b"]), "values"),
        ("RecordLabels", labels(values=[float("nan")]), "values[0]"),
        ("RecordLabels", labels(values=[float("inf")]), "values[0]"),
        ("RecordLabels", labels(label_times_us=[1, 2]), "label_times_us"),
        ("RecordLabels", labels(label_times_us=[-(2**63)]), "label_times_us"),
        ("RecordLabels", labels(source="x" * 129), "source"),
        ("RecordLabels", labels(prediction_ids=["a"] * 10_001), "prediction_ids"),
        ("CountPredictions", pb.CountPredictionsRequest(), "endpoint"),
        ("CountPredictions", pb.CountPredictionsRequest(endpoint="e/../f"), "endpoint"),
        ("CountPredictions", pb.CountPredictionsRequest(endpoint="e", start_time=NOON, end_time=NOON), "start_time"),
        ("CountPredictions", pb.CountPredictionsRequest(endpoint="e", end_time={"nanos": -1}), "end_time"),
    ],
)
async def test_bad_input_names_its_field(monitor: Any, method: str, request_: Message, field: str) -> None:
    error = await monitor.refused(method, request_)
    assert error.kind is Kind.INVALID_ARGUMENT
    assert error.violations[0].field == field
