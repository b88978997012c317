# Generated from libs/slipway/client/_async/monitor.py by scripts/generate; do not edit.
"""What serving saw and what came of it, at the monitor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from slipway.client._sync.transport import Stub
from slipway.client.codec import judgement
from slipway.client.codec import monitor as codec
from slipway.client.codec.scalars import UINT32_MAX, text, timestamp, whole
from slipway.client.types.judgement import FeatureWindow, Incident, MonitorProgress, Verdict, VersionComparison
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

    def feature_windows(
        self,
        endpoint: str | None = None,
        *,
        feature: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        drifted_only: bool = False,
        histograms: bool = False,
    ) -> Iterator[FeatureWindow]:
        """What versions saw of their features by window, oldest first, beside their baselines; None means all."""
        request = pb.ListFeatureWindowsRequest(
            endpoint=text("endpoint", endpoint or ""),
            feature=text("feature", feature or ""),
            start_time=timestamp("start", start),
            end_time=timestamp("end", end),
            drifted_only=drifted_only,
            include_histograms=histograms,
            page_size=_PAGE,
        )
        for page in self._stub.pages("ListFeatureWindows", request, pb.ListFeatureWindowsResponse):
            for window in page.windows:
                yield judgement.decode_feature_window(window)

    def incidents(self, endpoint: str | None = None, *, open_only: bool = False) -> Iterator[Incident]:
        """Incidents, the newest first; of one endpoint, or of all."""
        request = pb.ListIncidentsRequest(
            endpoint=text("endpoint", endpoint or ""), open_only=open_only, page_size=_PAGE
        )
        for page in self._stub.pages("ListIncidents", request, pb.ListIncidentsResponse):
            for incident in page.incidents:
                yield judgement.decode_incident(incident)

    def verdicts(self, endpoint: str | None = None) -> Iterator[Verdict]:
        """Verdicts on the steps of rollouts, the newest first; of one endpoint, or of all."""
        request = pb.ListVerdictsRequest(endpoint=text("endpoint", endpoint or ""), page_size=_PAGE)
        for page in self._stub.pages("ListVerdicts", request, pb.ListVerdictsResponse):
            for verdict in page.verdicts:
                yield judgement.decode_verdict(verdict)

    def compare(
        self,
        endpoint: str,
        model: str,
        version: int,
        other: int,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> VersionComparison:
        """Two versions of a model on the labelled predictions, of a stretch of event time, that both of them scored."""
        request = pb.CompareVersionsRequest(
            endpoint=text("endpoint", endpoint),
            model=text("model", model),
            version=whole("version", version, UINT32_MAX),
            other_version=whole("other", other, UINT32_MAX),
            start_time=timestamp("start", start),
            end_time=timestamp("end", end),
        )
        return judgement.decode_comparison(self._stub.unary("CompareVersions", request, pb.CompareVersionsResponse))

    def progress(self, endpoint: str) -> MonitorProgress:
        """How far the monitor has come with an endpoint; one that it never saw has no times."""
        request = pb.GetProgressRequest(endpoint=text("endpoint", endpoint))
        return judgement.decode_progress((self._stub.unary("GetProgress", request, pb.GetProgressResponse)).progress)
