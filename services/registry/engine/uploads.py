"""Taking artifacts in and giving them out."""

from __future__ import annotations

from collections.abc import AsyncIterator

from services.registry.domain.errors import ArtifactMissing, DigestMismatch, UploadTooLarge
from services.registry.domain.model import Artifact
from slipway.artifacts import Announced, ArtifactStore, check_digest
from slipway.errors import NotFound, invalid_field


class Uploads:
    """The artifact store behind the registry's own limits."""

    def __init__(self, artifacts: ArtifactStore, limit_bytes: int) -> None:
        self._artifacts = artifacts
        self._limit_bytes = limit_bytes

    async def store(self, expected: str, chunks: AsyncIterator[bytes]) -> Artifact:
        """Store all chunks, or none.

        Raises DigestMismatch, InvalidInput when there are none, UploadTooLarge when they are too many.
        """
        if expected:
            check_digest("expected_digest", expected)
        upload = Announced("artifact", expected, self._limit_bytes, UploadTooLarge, DigestMismatch)
        stored = await self._artifacts.put(upload.checked(chunks), limit_bytes=self._limit_bytes)
        return Artifact(stored.digest, stored.size_bytes)

    def chunks(self, digest: str) -> AsyncIterator[bytes]:
        """The bytes of an artifact, verified as they stream."""
        return self._artifacts.chunks(check_digest("digest", digest))


async def measured(artifacts: ArtifactStore, claimed: Artifact) -> Artifact:
    """The artifact with the size of its stored bytes, all of which are read and verified.

    Raises ArtifactMissing, InvalidInput about a size that was claimed and is another, CorruptArtifact.
    """
    size_bytes = 0
    try:
        async for chunk in artifacts.chunks(claimed.digest):
            size_bytes += len(chunk)
    except NotFound:
        raise ArtifactMissing(claimed.digest) from None
    if claimed.size_bytes not in {0, size_bytes}:
        raise invalid_field(
            "version.artifact.size_bytes", f"is {claimed.size_bytes}, but {size_bytes} bytes are stored; correct it"
        )
    return Artifact(claimed.digest, size_bytes)
