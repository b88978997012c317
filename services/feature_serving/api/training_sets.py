"""Training sets' gRPC methods: decode, call the engine, encode."""

from __future__ import annotations

from collections.abc import AsyncIterator

from services.feature_serving.codec import training_sets as codec
from services.feature_serving.engine.spines import Spines
from services.feature_serving.engine.training_sets import Sets
from slipway.gen.slipway.features.v1 import features_pb2 as pb
from slipway.rpc.call import Call


class TrainingSetMethods:
    """The part of ``slipway.features.v1.FeatureStoreService`` that is about training sets."""

    def __init__(self, spines: Spines, sets: Sets) -> None:
        self._spines = spines
        self._sets = sets

    async def UploadSpine(self, requests: AsyncIterator[pb.UploadSpineRequest], call: Call) -> pb.UploadSpineResponse:
        """Store a spine."""
        first = await anext(requests, pb.UploadSpineRequest())

        async def chunks() -> AsyncIterator[bytes]:
            yield first.chunk
            async for request in requests:
                yield request.chunk

        stored = await self._spines.store(first.expected_digest, chunks())
        return pb.UploadSpineResponse(digest=stored.digest, size_bytes=stored.size_bytes)

    async def CreateTrainingSet(self, request: pb.CreateTrainingSetRequest, call: Call) -> pb.CreateTrainingSetResponse:
        """Ask for a training set."""
        made = await self._sets.create(codec.decode_question(request), request.request_id)
        return pb.CreateTrainingSetResponse(training_set=codec.encode_set(made))

    async def GetTrainingSet(self, request: pb.GetTrainingSetRequest, call: Call) -> pb.GetTrainingSetResponse:
        """Give one training set."""
        return pb.GetTrainingSetResponse(training_set=codec.encode_set(await self._sets.get(request.id)))

    async def ListTrainingSets(self, request: pb.ListTrainingSetsRequest, call: Call) -> pb.ListTrainingSetsResponse:
        """Give a page of training sets."""
        found = await self._sets.list(request.page_size, request.page_token)
        made = [codec.encode_set(one) for one in found.rows]
        return pb.ListTrainingSetsResponse(training_sets=made, next_page_token=found.next_token)

    async def DownloadTrainingSet(
        self, request: pb.DownloadTrainingSetRequest, call: Call
    ) -> AsyncIterator[pb.DownloadTrainingSetResponse]:
        """Stream a training set's bytes."""
        async for chunk in self._sets.chunks(request.id):
            yield pb.DownloadTrainingSetResponse(chunk=chunk)
