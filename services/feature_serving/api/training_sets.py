"""Training sets' gRPC methods: decode, call the engine, encode."""

from __future__ import annotations

from collections.abc import AsyncIterator

from slipway.errors import Unavailable
from slipway.gen.slipway.features.v1 import features_pb2 as pb
from slipway.rpc.call import Call

_TOLD = "training sets are not made by this build; install the version that makes them"


class TrainingSetMethods:
    """The part of ``slipway.features.v1.FeatureStoreService`` that is about training sets."""

    async def UploadSpine(self, requests: AsyncIterator[pb.UploadSpineRequest], call: Call) -> pb.UploadSpineResponse:
        """Store a spine."""
        raise Unavailable(_TOLD)

    async def CreateTrainingSet(self, request: pb.CreateTrainingSetRequest, call: Call) -> pb.CreateTrainingSetResponse:
        """Ask for a training set."""
        raise Unavailable(_TOLD)

    async def GetTrainingSet(self, request: pb.GetTrainingSetRequest, call: Call) -> pb.GetTrainingSetResponse:
        """Give one training set."""
        raise Unavailable(_TOLD)

    async def ListTrainingSets(self, request: pb.ListTrainingSetsRequest, call: Call) -> pb.ListTrainingSetsResponse:
        """Give a page of training sets."""
        raise Unavailable(_TOLD)

    async def DownloadTrainingSet(
        self, request: pb.DownloadTrainingSetRequest, call: Call
    ) -> AsyncIterator[pb.DownloadTrainingSetResponse]:
        """Stream a training set's bytes."""
        raise Unavailable(_TOLD)
        yield pb.DownloadTrainingSetResponse()
