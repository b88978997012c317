"""Training sets on the shelf: each holds its spine's bytes."""

# ruff: noqa: N802  (method names are the contract's)
from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import AsyncIterator

from slipway.errors import NotFound
from slipway.gen.slipway.features.v1 import features_pb2 as pb
from slipway.gen.slipway.features.v1 import resources_pb2 as res
from slipway.rpc.call import Call


class TrainingSets:
    def __init__(self) -> None:
        self._spine = b""
        self._looks: Counter[str] = Counter()

    async def UploadSpine(self, requests: AsyncIterator[pb.UploadSpineRequest], call: Call) -> pb.UploadSpineResponse:
        self._spine = b"".join([request.chunk async for request in requests])
        return pb.UploadSpineResponse(digest=_digest(self._spine), size_bytes=len(self._spine))

    async def CreateTrainingSet(self, request: pb.CreateTrainingSetRequest, call: Call) -> pb.CreateTrainingSetResponse:
        """The set's id is the request's."""
        made = res.TrainingSet(
            id=request.request_id,
            state=res.TRAINING_SET_STATE_BUILDING,
            feature_service=request.feature_service,
            spine_digest=request.spine_digest,
        )
        if request.HasField("cutoff_time"):
            made.cutoff_time.CopyFrom(request.cutoff_time)
        return pb.CreateTrainingSetResponse(training_set=made)

    async def GetTrainingSet(self, request: pb.GetTrainingSetRequest, call: Call) -> pb.GetTrainingSetResponse:
        """Ready at the third look; failed…: failed; endless: never; unknown: NOT_FOUND; damaged: another digest."""
        if request.id == "unknown":
            raise NotFound("no such training set")
        self._looks[request.id] += 1
        made = res.TrainingSet(id=request.id, state=res.TRAINING_SET_STATE_BUILDING)
        if request.id == "failed":
            made.state, made.error = res.TRAINING_SET_STATE_FAILED, "the spine lacks it"
        elif request.id != "endless" and self._looks[request.id] > 2:
            made.state, made.size_bytes = res.TRAINING_SET_STATE_READY, len(self._spine)
            made.digest = _digest(b"" if request.id == "damaged" else self._spine)
            made.columns.add(name="planes__seats", feature="planes:seats", null_count=1)
            made.inputs.add(view="planes", view_revision=2, path="p", digest="sha256:1", row_count=3)
        return pb.GetTrainingSetResponse(training_set=made)

    async def ListTrainingSets(self, request: pb.ListTrainingSetsRequest, call: Call) -> pb.ListTrainingSetsResponse:
        """Two pages."""
        if request.page_token:
            return pb.ListTrainingSetsResponse(training_sets=[{"id": "a"}])
        return pb.ListTrainingSetsResponse(training_sets=[{"id": "b"}], next_page_token="more")

    async def DownloadTrainingSet(
        self, request: pb.DownloadTrainingSetRequest, call: Call
    ) -> AsyncIterator[pb.DownloadTrainingSetResponse]:
        for start in range(0, len(self._spine), 1000):
            yield pb.DownloadTrainingSetResponse(chunk=self._spine[start : start + 1000])


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
