# Generated from libs/slipway/client/_async/artifacts.py by scripts/generate; do not edit.
"""Artifacts at the registry: bytes by their SHA-256."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from slipway.client._sync.transport import Stub
from slipway.client.channels import read
from slipway.client.codec.scalars import text
from slipway.client.codec.versions import decode_artifact
from slipway.client.pieces import PIECE_BYTES, Incoming, Outgoing, Source, opened
from slipway.client.types.registry import Artifact
from slipway.gen.slipway.registry.v1 import registry_pb2 as pb

_TRANSFER_S = 300.0


class Artifacts:
    """The registry's artifact store."""

    def __init__(self, stub: Stub) -> None:
        self._stub = stub

    def upload_artifact(
        self, source: Source, *, expected_digest: str | None = None, timeout_s: float = _TRANSFER_S
    ) -> Artifact:
        """Store bytes, a file by its path, or an open binary file; the same bytes again are the same artifact.

        DATA_LOSS when what arrives is not ``expected_digest`` (made for you from bytes);
        INVALID_ARGUMENT or RESOURCE_EXHAUSTED when it is too large.
        """
        with opened(source) as file:
            outgoing = Outgoing(pb.UploadArtifactRequest, source, expected_digest)
            answer = self._stub.upload(
                "UploadArtifact", _requests(file, outgoing), pb.UploadArtifactResponse, timeout_s=timeout_s
            )
        outgoing.check(answer.artifact.digest)
        return decode_artifact(answer.artifact)

    def download_artifact(self, digest: str, *, timeout_s: float = _TRANSFER_S) -> bytes:
        """The bytes of ``digest`` (``sha256:…``), verified here; NOT_FOUND, DATA_LOSS when they are damaged."""
        incoming = Incoming(digest)
        request = pb.DownloadArtifactRequest(digest=text("digest", digest))
        with self._stub.stream(
            "DownloadArtifact", request, pb.DownloadArtifactResponse, lambda answer: answer.chunk, timeout_s=timeout_s
        ) as chunks:
            for chunk in chunks:
                incoming.add(chunk)
        return incoming.whole()


def _requests(file: BinaryIO, outgoing: Outgoing[pb.UploadArtifactRequest]) -> Iterator[pb.UploadArtifactRequest]:
    while (request := outgoing.request(read(file, PIECE_BYTES))) is not None:
        yield request
