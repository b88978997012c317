"""The Open Inference Protocol over gRPC: model name = endpoint, inputs = the version's feature columns."""

from __future__ import annotations

import numpy as np

from services.inference_gateway.api.tensors import decode_columns, encode_output
from services.inference_gateway.domain.batch import Batch, Protocol
from services.inference_gateway.domain.errors import EndpointNotFound
from services.inference_gateway.engine.admission import Admitted
from services.inference_gateway.engine.status import Status
from slipway.clock import Clock
from slipway.errors import invalid_field
from slipway.gen.inference import inference_pb2 as pb
from slipway.rpc.call import Call

PLATFORM = "onnxruntime_onnx"
SERVER = "slipway"


class OpenInferenceServicer:
    """``inference.GRPCInferenceService``: the six core RPCs."""

    def __init__(self, *, predict: Admitted, status: Status, clock: Clock, server_version: str) -> None:
        self._predict = predict
        self._status = status
        self._clock = clock
        self._server_version = server_version

    async def ServerLive(self, request: pb.ServerLiveRequest, call: Call) -> pb.ServerLiveResponse:
        """Say that the process answers."""
        return pb.ServerLiveResponse(live=True)

    async def ServerReady(self, request: pb.ServerReadyRequest, call: Call) -> pb.ServerReadyResponse:
        """Say whether calls may come."""
        return pb.ServerReadyResponse(ready=self.server_ready())

    async def ModelReady(self, request: pb.ModelReadyRequest, call: Call) -> pb.ModelReadyResponse:
        """Say whether an endpoint answers; one that nobody knows does not."""
        try:
            return pb.ModelReadyResponse(ready=self.model_ready(request.name, request.version))
        except EndpointNotFound:
            return pb.ModelReadyResponse(ready=False)

    async def ServerMetadata(self, request: pb.ServerMetadataRequest, call: Call) -> pb.ServerMetadataResponse:
        """Say who serves."""
        return self.server_metadata()

    async def ModelMetadata(self, request: pb.ModelMetadataRequest, call: Call) -> pb.ModelMetadataResponse:
        """Say what an endpoint takes and gives."""
        return self.model_metadata(request.name, request.version)

    async def ModelInfer(self, request: pb.ModelInferRequest, call: Call) -> pb.ModelInferResponse:
        """Answer a batch of feature columns."""
        return await self.infer(request, call.trace_id, call.principal)

    def server_ready(self) -> bool:
        """Whether calls may come: what to serve is known, and some of it answers."""
        return self._status.ready

    def model_ready(self, endpoint: str, version: str) -> bool:
        """Whether an endpoint (and version) answers. Raises EndpointNotFound."""
        return self._status.answers(_named(endpoint, "name"), version)

    def server_metadata(self) -> pb.ServerMetadataResponse:
        """Who serves."""
        return pb.ServerMetadataResponse(name=SERVER, version=self._server_version)

    def model_metadata(self, endpoint: str, version: str) -> pb.ModelMetadataResponse:
        """What an endpoint takes and gives. Raises EndpointNotFound, NotReady, VersionNotServed."""
        arm = self._status.primary(_named(endpoint, "name"), version)
        number = str(arm.route.version.number)
        response = pb.ModelMetadataResponse(name=endpoint, versions=[number], platform=PLATFORM)
        for column in arm.runner.spec.signature.inputs:
            response.inputs.add(name=column.name, datatype=column.datatype, shape=[-1, *(column.shape or (1,))])
        for tensor in arm.runner.spec.signature.outputs:
            response.outputs.add(name=tensor.name, datatype=tensor.datatype, shape=tensor.shape)
        return response

    async def infer(self, request: pb.ModelInferRequest, trace_id: str, tenant: str) -> pb.ModelInferResponse:
        """The answer to a batch of feature columns; logged as every prediction is."""
        arm = self._status.primary(_named(request.model_name, "model_name"), request.model_version)
        signature = arm.runner.spec.signature
        wanted = _wanted(request, [tensor.name for tensor in signature.outputs])
        columns, rows = decode_columns(request, signature)
        now = int(self._clock.now().timestamp() * 1e6)
        batch = Batch(
            endpoint=request.model_name,
            rows=rows,
            ids=(),
            event_times_us=np.full(rows, now, dtype=np.int64),
            timed=False,
            entity_keys=(),
            features=columns,
            protocol=Protocol.OPEN_INFERENCE,
            trace_id=trace_id,
            tenant=tenant,
        )
        answer = await self._predict.by_one(batch, request.model_version)
        response = pb.ModelInferResponse(
            model_name=request.model_name, model_version=str(answer.version), id=request.id
        )
        # Labels join on "<this>.<row>"; the protocol itself has no place for an id a row.
        response.parameters["slipway_prediction_id"].string_param = answer.ids[0].rpartition(".")[0]
        response.parameters["slipway_route"].string_param = answer.route
        for name in wanted:
            encode_output(response, name, answer.outputs[name])
        return response


def _named(name: str, field: str) -> str:
    if not name:
        raise invalid_field(field, "is empty; give the name of an endpoint")
    return name


def _wanted(request: pb.ModelInferRequest, given: list[str]) -> list[str]:
    for position, one in enumerate(request.outputs):
        if one.name not in given:
            raise invalid_field(
                f"outputs[{position}].name", f"{one.name!r} is not an output; ask for {', '.join(given)}"
            )
    return [one.name for one in request.outputs] or given
