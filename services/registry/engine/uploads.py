"""Taking artifacts in and giving them out."""

from __future__ import annotations

from collections.abc import AsyncIterator

from services.registry.domain.errors import DigestMismatch
from services.registry.domain.model import Artifact
from services.registry.domain.rules import check_digest
from slipway.artifacts import ArtifactStore
from slipway.errors import invalid_field


class Uploads:
    """The artifact store behind the registry's own limits."""

    def __init__(self, artifacts: ArtifactStore, limit_bytes: int) -> None:
        self._artifacts = artifacts
        self._limit_bytes = limit_bytes

    async def store(self, expected: str, chunks: AsyncIterator[bytes]) -> Artifact:
        """Store all chunks. Raises DigestMismatch, InvalidInput when there are none, Exhausted when too many."""
        if expected:
            check_digest("expected_digest", expected)
        stored = await self._artifacts.put(chunks, limit_bytes=self._limit_bytes)
        if stored.size_bytes == 0:
            raise invalid_field("chunk", "is empty; send the artifact's bytes")
        if expected and stored.digest != expected:
            raise DigestMismatch(expected, stored.digest)
        return Artifact(stored.digest, stored.size_bytes)

    def chunks(self, digest: str) -> AsyncIterator[bytes]:
        """The bytes of an artifact, verified as they stream."""
        return self._artifacts.chunks(check_digest("digest", digest))
