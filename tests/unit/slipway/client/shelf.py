"""A small platform for the client's tests: real servers of the real contracts, in a process of their own.

What a name in a request means is told beside each method. Prints its port, serves until SIGTERM, then drains.
"""

# ruff: noqa: N802  (method names are the contract's)
from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator

from shelf_registry import Attempts, Registry, WarmingUp
from shelf_training_sets import TrainingSets

from slipway.errors import NotFound, Unavailable
from slipway.gen.slipway.features.v1 import features_pb2 as features
from slipway.gen.slipway.features.v1 import resources_pb2 as online
from slipway.gen.slipway.inference.v1 import inference_pb2 as inference
from slipway.gen.slipway.inference.v1 import resources_pb2 as resources
from slipway.gen.slipway.monitor.v1 import monitor_pb2 as monitor
from slipway.gen.slipway.monitor.v1 import resources_pb2 as results
from slipway.gen.slipway.registry.v1 import registry_pb2 as registry
from slipway.gen.slipway.training.v1 import resources_pb2 as runs
from slipway.gen.slipway.training.v1 import training_pb2 as training
from slipway.rpc.call import Call
from slipway.rpc.server import Server, service
from slipway.rpc.settings import RpcSettings


class Inference:
    def __init__(self, attempts: Attempts) -> None:
        self._attempts = attempts

    async def Predict(self, request: inference.PredictRequest, call: Call) -> inference.PredictResponse:
        """Gives each row's columns back as outputs, absent ones without an element; flaky…: fails twice."""
        if request.endpoint.startswith("flaky"):
            self._attempts.fail_twice(request.endpoint)
        columns = {one.name: (one, getattr(one, one.WhichOneof("values")).values) for one in request.features}
        counted = [getattr(one, one.WhichOneof("values")).values for one in (*request.features, *request.entity_keys)]
        rows = max(len(values) for values in counted)
        answer = inference.PredictResponse()
        for row in range(rows):
            made = answer.predictions.add(model="echo", version=len(request.entity_keys), route="main")
            made.prediction_id = request.prediction_ids[row] if request.prediction_ids else str(row)
            if not columns:
                made.degraded = True
                made.feature_ages.add(view="carriers", age_s=60.0)
                made.feature_ages.add(view="planes")
            for name, (column, values) in columns.items():
                output = made.outputs.add(name=name)
                if row not in column.absent_rows:
                    (output.texts if isinstance(values[row], str) else output.values).append(values[row])
        return answer

    async def ListEndpoints(
        self, request: inference.ListEndpointsRequest, call: Call
    ) -> inference.ListEndpointsResponse:
        answer = inference.ListEndpointsResponse(registry_connected=True)
        late = answer.endpoints.add(name="late", revision=3)
        late.routes.add(name="main", model="echo", weight=1, state=resources.VERSION_STATE_READY)
        late.routes.add(name="candidate", model="echo", shadow=True, disabled_reason="it failed")
        return answer

    async def StreamPredict(
        self, requests: AsyncIterator[inference.StreamPredictRequest], call: Call
    ) -> AsyncIterator[inference.StreamPredictResponse]:
        """Answers what comes, one by one; an endpoint that is not there is refused, and gone… ends the stream."""
        async for one in requests:
            if one.request.endpoint.startswith("gone"):
                raise Unavailable("gone", retry_after_s=1.0)
            told = inference.StreamPredictResponse(correlation_id=one.correlation_id)
            if one.request.endpoint == "nowhere":
                told.error.MergeFrom(
                    resources.PredictError(code=5, reason="ENDPOINT_NOT_FOUND", message="no", facts={"endpoint": "x"})
                )
                told.error.field_violations.add(field="endpoint", description="is unknown")
            else:
                told.response.MergeFrom(await self.Predict(one.request, call))
            yield told

    async def GetPredictionLog(
        self, request: inference.GetPredictionLogRequest, call: Call
    ) -> inference.GetPredictionLogResponse:
        return inference.GetPredictionLogResponse(pending_batches=1, pending_bytes=2, limit_bytes=3)

    async def GetStatistics(
        self, request: inference.GetStatisticsRequest, call: Call
    ) -> inference.GetStatisticsResponse:
        answer = inference.GetStatisticsResponse()
        answer.time.FromSeconds(60)
        arm = answer.endpoints.add(name="late", waiting_rows=4).arms.add(route="main", model="m", version=1, weight=2)
        arm.request_seconds.MergeFrom(type(arm.request_seconds)(upper_ends=[0.1], counts=[3, 1], sum=0.5))
        answer.versions.add(model="m", version=1, running_rows=7).workers.add(pid=9, provider="CPU", resident_bytes=8)
        return answer

    async def ListTenants(self, request: inference.ListTenantsRequest, call: Call) -> inference.ListTenantsResponse:
        """One tenant, named by the token that came."""
        answer = inference.ListTenantsResponse()
        name = str(call.metadata.get("authorization", "nobody"))
        answer.tenants.add(name=name, weight=2.0, burst_rows=7, refused_requests=3)
        return answer


class Training:
    def __init__(self) -> None:
        self._watched: Counter[str] = Counter()

    async def ListWorkflows(self, request: training.ListWorkflowsRequest, call: Call) -> training.ListWorkflowsResponse:
        return training.ListWorkflowsResponse(workflows=[runs.Workflow(name="flights-delay")])

    async def SubmitRun(self, request: training.SubmitRunRequest, call: Call) -> training.SubmitRunResponse:
        """The run's id is the request's."""
        run = runs.Run(
            id=request.request_id, workflow=request.workflow, params=request.params, state=runs.RUN_STATE_QUEUED
        )
        return training.SubmitRunResponse(run=run)

    async def GetRun(self, request: training.GetRunRequest, call: Call) -> training.GetRunResponse:
        return training.GetRunResponse(run=runs.Run(id=request.run_id, state=runs.RUN_STATE_RUNNING))

    async def ListRuns(self, request: training.ListRunsRequest, call: Call) -> training.ListRunsResponse:
        return training.ListRunsResponse(runs=[runs.Run(id="b", workflow=request.workflow), runs.Run(id="a")])

    async def CancelRun(self, request: training.CancelRunRequest, call: Call) -> training.CancelRunResponse:
        return training.CancelRunResponse(run=runs.Run(id=request.run_id, state=runs.RUN_STATE_CANCELLED))

    async def WatchRun(self, request: training.WatchRunRequest, call: Call) -> AsyncIterator[training.WatchRunResponse]:
        """dropped…: the first watch breaks; endless: nothing more comes; unknown: NOT_FOUND."""
        if request.run_id == "unknown":
            raise NotFound("no such run")
        self._watched[request.run_id] += 1
        yield training.WatchRunResponse(run=runs.Run(id=request.run_id, state=runs.RUN_STATE_RUNNING))
        if request.run_id.startswith("dropped") and self._watched[request.run_id] == 1:
            raise WarmingUp("the scheduler was restarted")
        if request.run_id == "endless":
            await asyncio.Event().wait()
        yield training.WatchRunResponse(run=runs.Run(id=request.run_id, state=runs.RUN_STATE_SUCCEEDED))

    async def StreamRunLogs(
        self, request: training.StreamRunLogsRequest, call: Call
    ) -> AsyncIterator[training.StreamRunLogsResponse]:
        for text in ("one", "two") if request.follow else ("one",):
            line = runs.LogLine(step=request.step or "train", attempt=1, text=text)
            yield training.StreamRunLogsResponse(lines=[line])

    async def PutTrigger(self, request: training.PutTriggerRequest, call: Call) -> training.PutTriggerResponse:
        return training.PutTriggerResponse(trigger=request.trigger)

    async def ListTriggers(self, request: training.ListTriggersRequest, call: Call) -> training.ListTriggersResponse:
        return training.ListTriggersResponse(triggers=[runs.Trigger(name="drift", workflow="flights-delay")])

    async def DeleteTrigger(self, request: training.DeleteTriggerRequest, call: Call) -> training.DeleteTriggerResponse:
        if request.name == "unknown":
            raise NotFound("no such trigger")
        return training.DeleteTriggerResponse()


class Features(TrainingSets):
    async def ApplyFeatureViews(
        self, request: features.ApplyFeatureViewsRequest, call: Call
    ) -> features.ApplyFeatureViewsResponse:
        return features.ApplyFeatureViewsResponse(views=request.views)

    async def GetFeatureView(
        self, request: features.GetFeatureViewRequest, call: Call
    ) -> features.GetFeatureViewResponse:
        return features.GetFeatureViewResponse(view={"name": request.name})

    async def ListFeatureViews(
        self, request: features.ListFeatureViewsRequest, call: Call
    ) -> features.ListFeatureViewsResponse:
        return features.ListFeatureViewsResponse(views=[{"name": "planes"}])

    async def GetOnlineStore(
        self, request: features.GetOnlineStoreRequest, call: Call
    ) -> features.GetOnlineStoreResponse:
        return features.GetOnlineStoreResponse(reachable=True, server_version="7", keys=4)

    async def ApplyFeatureServices(
        self, request: features.ApplyFeatureServicesRequest, call: Call
    ) -> features.ApplyFeatureServicesResponse:
        return features.ApplyFeatureServicesResponse(services=request.services)

    async def GetFeatureService(
        self, request: features.GetFeatureServiceRequest, call: Call
    ) -> features.GetFeatureServiceResponse:
        return features.GetFeatureServiceResponse(service={"name": request.name, "features": ["planes:seats"]})

    async def ListFeatureServices(
        self, request: features.ListFeatureServicesRequest, call: Call
    ) -> features.ListFeatureServicesResponse:
        """Two pages."""
        if request.page_token:
            return features.ListFeatureServicesResponse(services=[{"name": "b"}])
        return features.ListFeatureServicesResponse(services=[{"name": "a"}], next_page_token="more")

    async def PushRows(self, request: features.PushRowsRequest, call: Call) -> features.PushRowsResponse:
        """Keeps the rows for the next question; the first of them counts as late."""
        self.pushed = request.rows
        return features.PushRowsResponse(applied_rows=len(request.rows.event_times_us) - 1, late_rows=1)

    async def GetOnlineFeatures(
        self, request: features.GetOnlineFeaturesRequest, call: Call
    ) -> features.GetOnlineFeaturesResponse:
        """What was pushed, row by row; null where absent. The feature service `times` gives the moments asked about."""
        answer = features.GetOnlineFeaturesResponse()
        if request.feature_service:
            made = answer.columns.add(name=request.feature_service, event_times_us=request.event_times_us)
            made.statuses.extend([online.FEATURE_STATUS_OUTSIDE_MAX_AGE] * len(request.event_times_us))
            return answer
        for column in self.pushed.features:
            made = answer.columns.add(name=column.name, event_times_us=self.pushed.event_times_us)
            kind = column.WhichOneof("values")
            if kind is not None:
                getattr(made, kind).CopyFrom(getattr(column, kind))
            for row in range(len(self.pushed.event_times_us)):
                absent = row in column.absent_rows
                made.statuses.append(online.FEATURE_STATUS_NULL_VALUE if absent else online.FEATURE_STATUS_PRESENT)
        return answer

    async def GetWatermark(self, request: features.GetWatermarkRequest, call: Call) -> features.GetWatermarkResponse:
        return features.GetWatermarkResponse(watermark={"view": request.view, "event_time_us": 1_000_001})

    async def AwaitWatermarks(
        self, request: features.AwaitWatermarksRequest, call: Call
    ) -> features.AwaitWatermarksResponse:
        return features.AwaitWatermarksResponse(passed=True)

    async def ListWatermarks(
        self, request: features.ListWatermarksRequest, call: Call
    ) -> features.ListWatermarksResponse:
        return features.ListWatermarksResponse(watermarks=[{"view": "planes", "event_time_us": 5}])


class Monitor:
    async def ListPredictionWindows(
        self, request: monitor.ListPredictionWindowsRequest, call: Call
    ) -> monitor.ListPredictionWindowsResponse:
        window = {"endpoint": request.endpoint, "start_time": request.start_time, "predictions": 7}
        return monitor.ListPredictionWindowsResponse(windows=[window])

    async def CountPredictions(
        self, request: monitor.CountPredictionsRequest, call: Call
    ) -> monitor.CountPredictionsResponse:
        versions = [monitor.VersionCount(model="echo", version=1, predictions=7)]
        return monitor.CountPredictionsResponse(predictions=7, versions=versions)

    async def ListDeadLetters(
        self, request: monitor.ListDeadLettersRequest, call: Call
    ) -> monitor.ListDeadLettersResponse:
        """Two pages: a letter that says everything, with its value if asked for; one that says nothing."""
        if request.page_token:
            return monitor.ListDeadLettersResponse(dead_letters=[{"event_id": "silent"}])
        letter = results.DeadLetter(
            event_id="junk",
            topic="t",
            partition=0,
            offset=0,
            key="late",
            time={"seconds": 1},
            error="why",
            size_bytes=2,
        )
        if request.include_value:
            letter.value = b"\xff\0"
        return monitor.ListDeadLettersResponse(dead_letters=[letter], next_page_token="more")

    async def RecordLabels(self, request: monitor.RecordLabelsRequest, call: Call) -> monitor.RecordLabelsResponse:
        """Every label recorded; joined those with the value 1, repeats those with a negative one."""
        values = list(request.values)
        repeats = sum(value < 0 for value in values)
        return monitor.RecordLabelsResponse(
            recorded=len(values) - repeats, repeats=repeats, joined=sum(value == 1 for value in values)
        )

    async def ListPerformanceWindows(
        self, request: monitor.ListPerformanceWindowsRequest, call: Call
    ) -> monitor.ListPerformanceWindowsResponse:
        """Two pages: a window with every figure, then one without any."""
        window = results.PerformanceWindow(
            endpoint=request.endpoint, start_time=request.start_time, end_time={"seconds": 9}, predictions=4
        )
        if request.page_token:
            return monitor.ListPerformanceWindowsResponse(windows=[window])
        window.MergeFrom(
            results.PerformanceWindow(
                joined=2,
                newest_label_time={"seconds": 8},
                mean_label_delay_s=0.0,
                classified=2,
                positives=1,
                auc=0.0,
                log_loss=0.5,
                brier=0.25,
                calibration=[{"lower": 0.5, "upper": 0.5625, "predictions": 2, "mean_score": 0.5, "positive_rate": 1}],
                measured=2,
                mean_absolute_error=1.0,
                root_mean_squared_error=2.0,
                negative_bins=[1] if request.include_histograms else [],
                positive_bins=[0] if request.include_histograms else [],
            )
        )
        return monitor.ListPerformanceWindowsResponse(windows=[window], next_page_token="more")

    async def GetLabelCoverage(
        self, request: monitor.GetLabelCoverageRequest, call: Call
    ) -> monitor.GetLabelCoverageResponse:
        """One endpoint with labels, one without."""
        full = results.LabelCoverage(
            endpoint="late",
            predictions=4,
            joined=1,
            newest_label_time={"seconds": 8},
            labels_joined=1,
            labels_waiting=2,
        )
        return monitor.GetLabelCoverageResponse(coverages=[full, {"endpoint": "quiet"}])

    async def ListFeatureWindows(
        self, request: monitor.ListFeatureWindowsRequest, call: Call
    ) -> monitor.ListFeatureWindowsResponse:
        """Two pages: a window that says everything, then one without rows."""
        window = results.FeatureWindow(
            endpoint=request.endpoint, feature=request.feature, start_time=request.start_time, end_time={"seconds": 9}
        )
        if request.page_token:
            return monitor.ListFeatureWindowsResponse(windows=[window])
        more = results.FeatureWindow(
            rows=4,
            nulls=1,
            distance=0.0,
            threshold=0.1,
            importance=0.5,
            drifted=request.drifted_only,
            counts=[1, 2] if request.include_histograms else [],
        )
        window.MergeFrom(more)
        return monitor.ListFeatureWindowsResponse(windows=[window], next_page_token="more")

    async def ListIncidents(self, request: monitor.ListIncidentsRequest, call: Call) -> monitor.ListIncidentsResponse:
        """One that goes on; beside it one that ended, unless only the open ones are asked for."""
        first = results.Incident(
            id="i1",
            endpoint=request.endpoint,
            model="echo",
            version=1,
            kind=results.INCIDENT_KIND_PERFORMANCE,
            state=results.INCIDENT_STATE_OPEN,
            start_time={"seconds": 1},
            trigger_time={"seconds": 2},
            harm={"metric": "auc", "baseline": 0.75, "observed": 0.5, "threshold": 0.7, "rows": 9},
            features=[{"name": "delay", "distance": 0.5, "threshold": 0.1, "importance": 0.25, "null_rate": 0.0}],
            create_time={"seconds": 3},
        )
        ended = results.Incident(id="i0", state=results.INCIDENT_STATE_CLOSED, kind=99, close_reason="well again")
        return monitor.ListIncidentsResponse(incidents=[first] if request.open_only else [first, ended])

    async def ListVerdicts(self, request: monitor.ListVerdictsRequest, call: Call) -> monitor.ListVerdictsResponse:
        """One verdict."""
        verdict = results.Verdict(
            endpoint=request.endpoint,
            rollout_id="r1",
            step=1,
            decision=results.DECISION_PROMOTE,
            reason="why",
            labels=9,
            harm=-0.5,
            harm_lower=-1,
            harm_upper=0,
            candidate_auc=0.75,
            event_time={"seconds": 1},
        )
        return monitor.ListVerdictsResponse(verdicts=[verdict])

    async def CompareVersions(
        self, request: monitor.CompareVersionsRequest, call: Call
    ) -> monitor.CompareVersionsResponse:
        """As many labels as the versions' numbers; no figure of the other."""
        return monitor.CompareVersionsResponse(labels=request.version + request.other_version, auc=0.0, log_loss=0.5)

    async def GetProgress(self, request: monitor.GetProgressRequest, call: Call) -> monitor.GetProgressResponse:
        """Predictions, and nothing else yet."""
        return monitor.GetProgressResponse(progress={"predictions_time": {"seconds": 1}})


async def main() -> None:
    attempts = Attempts()
    services = [
        service(registry.DESCRIPTOR.services_by_name["RegistryService"], Registry(attempts)),
        service(inference.DESCRIPTOR.services_by_name["InferenceService"], Inference(attempts)),
        service(training.DESCRIPTOR.services_by_name["TrainingService"], Training()),
        service(features.DESCRIPTOR.services_by_name["FeatureStoreService"], Features()),
        service(monitor.DESCRIPTOR.services_by_name["MonitorService"], Monitor()),
    ]
    server = Server(RpcSettings(listen="127.0.0.1:0"), services)
    await server.start()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    print(server.port, flush=True)
    await stop.wait()
    await server.stop()


if __name__ == "__main__":
    asyncio.run(main())
