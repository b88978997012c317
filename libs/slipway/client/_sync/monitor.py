# Generated from libs/slipway/client/_async/monitor.py by scripts/generate; do not edit.
"""What serving saw and what came of it, at the monitor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from slipway.client._sync.transport import Stub
from slipway.client.codec import monitor as codec
from slipway.client.codec.scalars import text, timestamp
from slipway.client.types.monitor import (
    DeadLetter,
    LabelCoverage,
    PerformanceWindow,
    PredictionCount,
    PredictionWindow,
    RecordedLabels,
)
from slipway.gen.slipway.monitor.v1 import monitor_pb2 as pb

_PAGE = 500


class Monitor:
    """The monitor. A window is in a stretch of event time when it starts at or after ``start`` and before ``end``."""

    def __init__(self, stub: Stub) -> None:
        self._stub = stub

    def windows(
        self, endpoint: str | None = None, *, start: datetime | None = None, end: datetime | None = None
    ) -> Iterator[PredictionWindow]:
        """Windows of event time with their predictions, oldest first; None means all, from the first, to the last."""
        request = pb.ListPredictionWindowsRequest(
            endpoint=text("endpoint", endpoint or ""),
            start_time=timestamp("start", start),
            end_time=timestamp("end", end),
            page_size=_PAGE,
        )
        for page in self._stub.pages("ListPredictionWindows", request, pb.ListPredictionWindowsResponse):
            for window in page.windows:
                yield codec.decode_window(window)

    def count(self, endpoint: str, *, start: datetime | None = None, end: datetime | None = None) -> PredictionCount:
        """An endpoint's predictions over a stretch of event time, all and by version."""
        request = pb.CountPredictionsRequest(
            endpoint=text("endpoint", endpoint),
            start_time=timestamp("start", start),
            end_time=timestamp("end", end),
        )
        return codec.decode_count(self._stub.unary("CountPredictions", request, pb.CountPredictionsResponse))

    def dead_letters(self, *, include_value: bool = False) -> Iterator[DeadLetter]:
        """Events that the monitor could not handle: predictions, then labels, each in the order of being set aside.

        Their values come along only if asked for: each may be as large as the event log takes.
        """
        request = pb.ListDeadLettersRequest(page_size=_PAGE, include_value=include_value)
        for page in self._stub.pages("ListDeadLetters", request, pb.ListDeadLettersResponse):
            for letter in page.dead_letters:
                yield codec.decode_dead_letter(letter)

    def record_labels(
        self,
        endpoint: str,
        prediction_ids: Sequence[str],
        values: Sequence[float],
        label_times: Sequence[datetime] | datetime,
        *,
        source: str = "",
    ) -> RecordedLabels:
        """Record what was true of predictions: 1 or 0 for classes, the amount for regressions.

        ``label_times`` are the event times at which that was known, one each or one for all. The latest of them holds:
        the same label again changes nothing, another value with a later time corrects, any other is ignored. Large
        numbers go in several calls; when one fails, give all of them again.
        """
        recorded = RecordedLabels()
        for request in codec.encode_labels(endpoint, prediction_ids, values, label_times, source):
            answer = self._stub.unary("RecordLabels", request, pb.RecordLabelsResponse)
            recorded = codec.add_recorded(recorded, answer)
        return recorded

    def performance(
        self,
        endpoint: str | None = None,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        histograms: bool = False,
    ) -> Iterator[PerformanceWindow]:
        """Windows of event time with what labels tell so far, oldest first; None means as for ``windows``."""
        request = pb.ListPerformanceWindowsRequest(
            endpoint=text("endpoint", endpoint or ""),
            start_time=timestamp("start", start),
            end_time=timestamp("end", end),
            page_size=_PAGE,
            include_histograms=histograms,
        )
        for page in self._stub.pages("ListPerformanceWindows", request, pb.ListPerformanceWindowsResponse):
            for window in page.windows:
                yield codec.decode_performance(window)

    def coverage(
        self, endpoint: str | None = None, *, start: datetime | None = None, end: datetime | None = None
    ) -> list[LabelCoverage]:
        """How far labels have come, by endpoint; of one, or of all that predictions or labels came for."""
        request = pb.GetLabelCoverageRequest(
            endpoint=text("endpoint", endpoint or ""),
            start_time=timestamp("start", start),
            end_time=timestamp("end", end),
        )
        answer = self._stub.unary("GetLabelCoverage", request, pb.GetLabelCoverageResponse)
        return [codec.decode_coverage(one) for one in answer.coverages]
