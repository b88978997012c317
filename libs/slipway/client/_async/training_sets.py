"""Training sets at feature_serving."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, overload

from slipway.client._async.transport import AsyncStub
from slipway.client.channels import async_pause, async_read
from slipway.client.codec.scalars import text, timestamp
from slipway.client.codec.training_sets import decode_training_set
from slipway.client.failures import DeadlineExceeded
from slipway.client.pieces import PIECE_BYTES, Incoming, Outgoing, Source, opened, saved
from slipway.client.types.training_sets import TrainingSet
from slipway.errors import Kind, SlipwayError
from slipway.gen.slipway.features.v1 import features_pb2 as pb

_PAGE = 500
_TRANSFER_S = 300.0
_FIRST_LOOK_S = 0.05
_LAST_LOOK_S = 1.0


class TrainingSets:
    """Training sets: asked for, waited for, fetched."""

    def __init__(self, stub: AsyncStub) -> None:
        self._stub = stub

    async def create_training_set(
        self,
        spine: Source,
        feature_service: str,
        cutoff: datetime | None = None,
        *,
        request_id: str | None = None,
        timeout_s: float = _TRANSFER_S,
    ) -> TrainingSet:
        """Upload a spine (Parquet: bytes, a path, an open file) and ask for its set; durable when it returns.

        The spine has the join keys of every view, ``event_time``, perhaps ``label_time``, and what else is to stand in
        the set. The same question of the same definitions and sources gives the set that is there. A caller that may
        be restarted gives a ``request_id``. NOT_FOUND: no such feature service. FAILED_PRECONDITION: a view has no
        source. ALREADY_EXISTS: the id came with another body. What the spine lacks is told by the set that failed.
        """
        digest = await self.upload_spine(spine, timeout_s=timeout_s)
        request = pb.CreateTrainingSetRequest(
            request_id=text("request_id", request_id or str(uuid.uuid4())),
            spine_digest=digest,
            feature_service=text("feature_service", feature_service),
            cutoff_time=timestamp("cutoff", cutoff),
        )
        answer = await self._stub.unary("CreateTrainingSet", request, pb.CreateTrainingSetResponse, timeout_s=timeout_s)
        return decode_training_set(answer.training_set)

    async def upload_spine(self, spine: Source, *, timeout_s: float = _TRANSFER_S) -> str:
        """Store a spine; its digest. RESOURCE_EXHAUSTED when it is too large."""
        with opened(spine) as file:
            outgoing = Outgoing(pb.UploadSpineRequest, spine, None)
            answer = await self._stub.upload(
                "UploadSpine", _requests(file, outgoing), pb.UploadSpineResponse, timeout_s=timeout_s
            )
        outgoing.check(answer.digest)
        return answer.digest

    async def get_training_set(self, set_id: str) -> TrainingSet:
        """One training set; NOT_FOUND."""
        request = pb.GetTrainingSetRequest(id=text("set_id", set_id))
        answer = await self._stub.unary("GetTrainingSet", request, pb.GetTrainingSetResponse)
        return decode_training_set(answer.training_set)

    async def training_sets(self) -> AsyncIterator[TrainingSet]:
        """Every training set, newest first, a page at a time."""
        request = pb.ListTrainingSetsRequest(page_size=_PAGE)
        async for page in self._stub.pages("ListTrainingSets", request, pb.ListTrainingSetsResponse):
            for one in page.training_sets:
                yield decode_training_set(one)

    async def wait_training_set(
        self, set_id: str, *, timeout_s: float | None = None, patience_s: float = 30.0
    ) -> TrainingSet:
        """The set when it is ready or has failed: look at its ``state``.

        A service that does not answer is waited for ``patience_s``, for it takes the set up again when it is back.
        DEADLINE_EXCEEDED when the set has not ended within ``timeout_s``; None waits for as long as it takes.
        """
        ends_at = None if timeout_s is None else time.monotonic() + timeout_s
        heard_at, look_s = time.monotonic(), _FIRST_LOOK_S
        while True:
            try:
                found = await self.get_training_set(set_id)
                heard_at = time.monotonic()
                if found.state.final:
                    return found
            except SlipwayError as error:
                if error.kind is not Kind.UNAVAILABLE or time.monotonic() - heard_at > patience_s:
                    raise
            if ends_at is not None and time.monotonic() + look_s > ends_at:
                told = f"training set {set_id} was not ready within {timeout_s} s; it is still made: wait longer"
                raise DeadlineExceeded(told, facts={"id": set_id})
            await async_pause(look_s)
            look_s = min(look_s * 1.5, _LAST_LOOK_S)

    @overload
    async def download_training_set(
        self, set_id: str, path: None = None, *, timeout_s: float = _TRANSFER_S
    ) -> bytes: ...

    @overload
    async def download_training_set(
        self, set_id: str, path: str | os.PathLike[str], *, timeout_s: float = _TRANSFER_S
    ) -> Path: ...

    async def download_training_set(
        self, set_id: str, path: str | os.PathLike[str] | None = None, *, timeout_s: float = _TRANSFER_S
    ) -> bytes | Path:
        """A ready set's Parquet bytes, verified here, or the file that they were written to, whole or not at all.

        NOT_FOUND; FAILED_PRECONDITION until it is ready; DATA_LOSS when the bytes are damaged.
        """
        incoming = Incoming((await self.get_training_set(set_id)).digest)
        request = pb.DownloadTrainingSetRequest(id=text("set_id", set_id))
        async with self._stub.stream(
            "DownloadTrainingSet",
            request,
            pb.DownloadTrainingSetResponse,
            lambda answer: answer.chunk,
            timeout_s=timeout_s,
        ) as chunks:
            async for chunk in chunks:
                incoming.add(chunk)
        whole = incoming.whole()
        return whole if path is None else saved(path, whole)


async def _requests(file: BinaryIO, outgoing: Outgoing[pb.UploadSpineRequest]) -> AsyncIterator[pb.UploadSpineRequest]:
    while (request := outgoing.request(await async_read(file, PIECE_BYTES))) is not None:
        yield request
