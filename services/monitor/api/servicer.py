"""The monitor's gRPC methods: decode, call the engine, encode."""

from __future__ import annotations

from services.monitor import codec
from services.monitor.codec import judged
from services.monitor.engine.answers import Answers
from services.monitor.engine.inspection import Inspection
from services.monitor.engine.judged import FeatureQuery, Judged
from services.monitor.engine.labelling import Labelling
from slipway.gen.slipway.monitor.v1 import monitor_pb2 as pb
from slipway.rpc.call import Call


class MonitorServicer:
    """``slipway.monitor.v1.MonitorService``."""

    def __init__(self, answers: Answers, what_came: Judged, labelling: Labelling, inspection: Inspection) -> None:
        self._answers = answers
        self._judged = what_came
        self._labelling = labelling
        self._inspection = inspection

    async def ListPredictionWindows(
        self, request: pb.ListPredictionWindowsRequest, call: Call
    ) -> pb.ListPredictionWindowsResponse:
        """Give a page of windows."""
        found = await self._answers.windows(codec.decode_span(request), request.page_size, request.page_token)
        windows = [codec.encode_window(window) for window in found.rows]
        return pb.ListPredictionWindowsResponse(windows=windows, next_page_token=found.next_token)

    async def CountPredictions(self, request: pb.CountPredictionsRequest, call: Call) -> pb.CountPredictionsResponse:
        """Sum an endpoint's predictions."""
        return codec.encode_counts(await self._answers.counts(codec.decode_span(request)))

    async def ListDeadLetters(self, request: pb.ListDeadLettersRequest, call: Call) -> pb.ListDeadLettersResponse:
        """Give a page of what could not be handled."""
        found = await self._inspection.page(request.page_size, request.page_token, with_value=request.include_value)
        letters = [codec.encode_dead_letter(letter) for letter in found.rows]
        return pb.ListDeadLettersResponse(dead_letters=letters, next_page_token=found.next_token)

    async def RecordLabels(self, request: pb.RecordLabelsRequest, call: Call) -> pb.RecordLabelsResponse:
        """Record what turned out to be true."""
        return codec.encode_tally(await self._labelling.record(codec.decode_label_batch(request)))

    async def ListPerformanceWindows(
        self, request: pb.ListPerformanceWindowsRequest, call: Call
    ) -> pb.ListPerformanceWindowsResponse:
        """Give a page of performance windows."""
        found = await self._answers.performance(codec.decode_span(request), request.page_size, request.page_token)
        windows = [codec.encode_performance(one, with_bins=request.include_histograms) for one in found.rows]
        return pb.ListPerformanceWindowsResponse(windows=windows, next_page_token=found.next_token)

    async def GetLabelCoverage(self, request: pb.GetLabelCoverageRequest, call: Call) -> pb.GetLabelCoverageResponse:
        """Say how far labels have come."""
        found = await self._answers.coverage(codec.decode_span(request))
        return pb.GetLabelCoverageResponse(coverages=[codec.encode_coverage(one) for one in found])

    async def ListFeatureWindows(
        self, request: pb.ListFeatureWindowsRequest, call: Call
    ) -> pb.ListFeatureWindowsResponse:
        """Give a page of feature windows."""
        query = FeatureQuery(codec.decode_span(request), request.feature, request.drifted_only)
        found = await self._judged.features(query, request.page_size, request.page_token)
        windows = [judged.encode_feature_window(one, with_counts=request.include_histograms) for one in found.rows]
        return pb.ListFeatureWindowsResponse(windows=windows, next_page_token=found.next_token)

    async def ListIncidents(self, request: pb.ListIncidentsRequest, call: Call) -> pb.ListIncidentsResponse:
        """Give a page of incidents."""
        found = await self._judged.incidents(
            request.endpoint, request.page_size, request.page_token, open_only=request.open_only
        )
        incidents = [judged.encode_incident(one) for one in found.rows]
        return pb.ListIncidentsResponse(incidents=incidents, next_page_token=found.next_token)

    async def ListVerdicts(self, request: pb.ListVerdictsRequest, call: Call) -> pb.ListVerdictsResponse:
        """Give a page of verdicts."""
        found = await self._judged.verdicts(request.endpoint, request.page_size, request.page_token)
        verdicts = [judged.encode_verdict(one) for one in found.rows]
        return pb.ListVerdictsResponse(verdicts=verdicts, next_page_token=found.next_token)

    async def CompareVersions(self, request: pb.CompareVersionsRequest, call: Call) -> pb.CompareVersionsResponse:
        """Compare two versions."""
        span, version, other = codec.decode_span(request), request.version, request.other_version
        return judged.encode_comparison(await self._judged.compare(span, request.model, version, other))

    async def GetProgress(self, request: pb.GetProgressRequest, call: Call) -> pb.GetProgressResponse:
        """Say how far the monitor has come."""
        return judged.encode_progress(await self._judged.progress(request.endpoint))
