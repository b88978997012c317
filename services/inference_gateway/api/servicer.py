"""Slipway's own inference API."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from functools import partial

from services.inference_gateway.api.in_flight import InFlight
from services.inference_gateway.api.outcome import tell
from services.inference_gateway.api.predictions import Predictions
from services.inference_gateway.api.vitals import encode_vitals
from services.inference_gateway.engine.admission import Admission
from services.inference_gateway.engine.meter import Meter
from services.inference_gateway.engine.status import Status
from services.inference_gateway.engine.vitals import Vitals
from services.inference_gateway.ports import PredictionLog
from slipway.clock import Clock
from slipway.errors import SlipwayError
from slipway.gen.slipway.inference.v1 import inference_pb2 as pb
from slipway.gen.slipway.inference.v1 import resources_pb2
from slipway.rpc import deadline
from slipway.rpc.call import Call
from slipway.rpc.message import takes_bytes
from slipway.rpc.refusals import Internal

log = logging.getLogger(__name__)


class InferenceServicer:
    """``slipway.inference.v1.InferenceService``."""

    def __init__(
        self,
        *,
        predictions: Predictions,
        admission: Admission,
        status: Status,
        vitals: Vitals,
        prediction_log: PredictionLog,
        meter: Meter,
        clock: Clock,
        limit_s: float,
    ) -> None:
        """``limit_s`` is what a request of a stream gets at most, in seconds."""
        self._limit_s = limit_s
        self._predictions = predictions
        self._admission = admission
        self._status = status
        self._vitals = vitals
        self._log = prediction_log
        self._meter = meter
        self._clock = clock

    @takes_bytes
    async def Predict(self, data: bytes, call: Call) -> bytes:
        """Answer a batch."""
        return await self._predictions.answer_bytes(data, call)

    def StreamPredict(
        self, requests: AsyncIterator[pb.StreamPredictRequest], call: Call
    ) -> AsyncIterator[pb.StreamPredictResponse]:
        """Answer batches as they come."""
        return InFlight[pb.StreamPredictRequest, pb.StreamPredictResponse](partial(self._streamed, call)).answers(
            requests
        )

    async def _streamed(self, call: Call, request: pb.StreamPredictRequest) -> pb.StreamPredictResponse:
        told = pb.StreamPredictResponse(correlation_id=request.correlation_id)
        await tell(told, self._within(request.request, call))
        return told

    async def _within(self, request: pb.PredictRequest, call: Call) -> pb.PredictResponse:
        try:
            async with deadline.Bound(self._limit_s):
                return await self._predictions.answer(request, call)
        except SlipwayError:
            raise
        except Exception as error:
            # The defect of one must not end the stream of the others.
            log.exception("a request of a stream failed by a defect", extra={"endpoint": request.endpoint})
            raise Internal("StreamPredict", call.trace_id or "none") from error

    async def ListEndpoints(self, request: pb.ListEndpointsRequest, call: Call) -> pb.ListEndpointsResponse:
        """Say what runs."""
        response = pb.ListEndpointsResponse(registry_connected=self._status.registry_connected)
        for one in self._status.endpoints():
            endpoint = response.endpoints.add(name=one.name, revision=one.revision)
            endpoint.update_time.FromDatetime(one.changed_at)
            for arm in one.arms:
                endpoint.routes.add(
                    name=arm.name,
                    model=arm.desired.model,
                    desired_version=arm.desired.number,
                    serving_version=arm.serving,
                    weight=arm.weight,
                    state=resources_pb2.VersionState.Value(f"VERSION_STATE_{arm.state.name}"),
                    reason=arm.reason,
                    provider=arm.provider,
                    worker_pid=arm.worker_pid,
                    shadow=arm.shadow,
                    disabled_reason=arm.disabled_reason,
                )
        return response

    async def GetPredictionLog(self, request: pb.GetPredictionLogRequest, call: Call) -> pb.GetPredictionLogResponse:
        """Say how the spool stands."""
        backlog = self._log.backlog()
        return pb.GetPredictionLogResponse(
            pending_batches=backlog.pending_batches,
            pending_bytes=backlog.pending_bytes,
            limit_bytes=backlog.limit_bytes,
            dropped_predictions=self._meter.dropped_rows,
        )

    async def ListTenants(self, request: pb.ListTenantsRequest, call: Call) -> pb.ListTenantsResponse:
        """Say who may ask, and how they stand."""
        response = pb.ListTenantsResponse()
        for account in self._admission.accounts():
            tenant = account.tenant
            told = response.tenants.add(
                name=tenant.name,
                weight=tenant.weight,
                in_flight=account.in_flight,
                admitted_requests=account.requests,
                admitted_rows=account.rows,
                refused_requests=account.refused,
                operator=tenant.operator,
            )
            if tenant.quota is not None:
                told.rows_per_second, told.burst_rows = tenant.quota.rows_per_s, tenant.quota.burst_rows
            if tenant.max_in_flight:
                told.max_in_flight = tenant.max_in_flight
        return response

    async def GetStatistics(self, request: pb.GetStatisticsRequest, call: Call) -> pb.GetStatisticsResponse:
        """Say what was answered, how long it took, and what waits."""
        return encode_vitals(self._vitals, self._clock.now())
