"""The Open Inference Protocol over gRPC: model name = endpoint, inputs = the version's feature columns."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial

from services.inference_gateway.api.caller import Caller
from services.inference_gateway.api.in_flight import InFlight
from services.inference_gateway.api.infer import Infer, named
from services.inference_gateway.api.models import encode_config, encode_metadata
from services.inference_gateway.api.repository import check_repository, decode_version, encode_index, refuse_overrides
from services.inference_gateway.api.statistics import encode_tally
from services.inference_gateway.api.stream import answer_streamed
from services.inference_gateway.api.unserved import Unserved
from services.inference_gateway.domain.errors import EndpointNotFound
from services.inference_gateway.engine.repository import Repository
from services.inference_gateway.engine.statistics import Statistics
from services.inference_gateway.engine.status import Status
from slipway.gen.inference import inference_pb2 as pb
from slipway.gen.inference import model_config_pb2, repository_pb2, statistics_pb2
from slipway.rpc.message import takes_bytes

SERVER = "slipway"
EXTENSIONS = (
    "binary_tensor_data",
    "classification",
    "model_configuration",
    "model_repository",
    "parameters",
    "schedule_policy",
    "statistics",
)
"""What the server speaks beyond the core protocol, by Triton's names; the binary tensors are REST's."""


class OpenInferenceServicer(Unserved):
    """``inference.GRPCInferenceService``; REST answers by the same methods."""

    def __init__(
        self,
        *,
        infer: Infer,
        status: Status,
        statistics: Statistics,
        repository: Repository,
        server_version: str,
        limit_s: float,
    ) -> None:
        """``limit_s`` is the most that one request on a stream may take."""
        self._infer = infer
        self._status = status
        self._statistics = statistics
        self._repository = repository
        self._server_version = server_version
        self._limit_s = limit_s

    async def ServerLive(self, request: pb.ServerLiveRequest, call: Caller) -> pb.ServerLiveResponse:
        """Say that the process answers."""
        return pb.ServerLiveResponse(live=True)

    async def ServerReady(self, request: pb.ServerReadyRequest, call: Caller) -> pb.ServerReadyResponse:
        """Say whether calls may come: what to serve is known, and some of it answers."""
        return pb.ServerReadyResponse(ready=self._status.ready)

    async def ModelReady(self, request: pb.ModelReadyRequest, call: Caller) -> pb.ModelReadyResponse:
        """Say whether an endpoint answers; one that nobody knows does not."""
        try:
            return pb.ModelReadyResponse(ready=self.model_ready(request.name, request.version))
        except EndpointNotFound:
            return pb.ModelReadyResponse(ready=False)

    def model_ready(self, endpoint: str, version: str) -> bool:
        """Whether an endpoint (and version) answers. Raises EndpointNotFound."""
        return self._status.answers(named(endpoint, "name"), version)

    async def ServerMetadata(self, request: pb.ServerMetadataRequest, call: Caller) -> pb.ServerMetadataResponse:
        """Say who serves."""
        return pb.ServerMetadataResponse(name=SERVER, version=self._server_version, extensions=EXTENSIONS)

    async def ModelMetadata(self, request: pb.ModelMetadataRequest, call: Caller) -> pb.ModelMetadataResponse:
        """Say what an endpoint takes and gives."""
        arm = self._status.primary(named(request.name, "name"), request.version)
        return encode_metadata(request.name, arm, self._status.versions(request.name))

    @takes_bytes
    async def ModelInfer(self, data: bytes, call: Caller) -> bytes:
        """Answer a batch of feature columns."""
        return await self._infer.answer_bytes(data, call)

    async def infer(self, request: pb.ModelInferRequest, call: Caller) -> pb.ModelInferResponse:
        """The same for another transport."""
        return await self._infer.answer(request, call)

    def ModelStreamInfer(
        self, requests: AsyncIterator[pb.ModelInferRequest], call: Caller
    ) -> AsyncIterator[pb.ModelStreamInferResponse]:
        """Answer batches of feature columns as they come."""
        answer = partial(answer_streamed, self._infer, call, self._limit_s)
        return InFlight[pb.ModelInferRequest, pb.ModelStreamInferResponse](answer).answers(requests)

    async def ModelConfig(
        self, request: model_config_pb2.ModelConfigRequest, call: Caller
    ) -> model_config_pb2.ModelConfigResponse:
        """Say how an endpoint is served."""
        arm = self._status.primary(named(request.name, "name"), request.version)
        config = encode_config(request.name, arm, self._status.versions(request.name))
        return model_config_pb2.ModelConfigResponse(config=config)

    async def ModelStatistics(
        self, request: statistics_pb2.ModelStatisticsRequest, call: Caller
    ) -> statistics_pb2.ModelStatisticsResponse:
        """Say what was answered."""
        told = [
            encode_tally(one.endpoint, one.version, self._statistics.of(one.endpoint, one.version))
            for one in self._repository.find(request.name, request.version)
        ]
        return statistics_pb2.ModelStatisticsResponse(model_stats=told)

    async def RepositoryIndex(
        self, request: repository_pb2.RepositoryIndexRequest, call: Caller
    ) -> repository_pb2.RepositoryIndexResponse:
        """Say what is loaded."""
        check_repository(request.repository_name)
        entries = self._repository.index()
        return encode_index(one for one in entries if one.ready or not request.ready)

    async def RepositoryModelLoad(
        self, request: repository_pb2.RepositoryModelLoadRequest, call: Caller
    ) -> repository_pb2.RepositoryModelLoadResponse:
        """Try again what is not loaded, and wait for it."""
        check_repository(request.repository_name)
        refuse_overrides(request.parameters)
        await self._repository.load(named(request.model_name, "model_name"), decode_version(request.parameters))
        return repository_pb2.RepositoryModelLoadResponse()

    async def RepositoryModelUnload(
        self, request: repository_pb2.RepositoryModelUnloadRequest, call: Caller
    ) -> repository_pb2.RepositoryModelUnloadResponse:
        """Give back the memory of what takes no traffic."""
        check_repository(request.repository_name)
        await self._repository.unload(named(request.model_name, "model_name"), decode_version(request.parameters))
        return repository_pb2.RepositoryModelUnloadResponse()
