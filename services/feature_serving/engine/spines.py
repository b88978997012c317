"""Taking spines in."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator

from services.feature_serving.domain.training_errors import SpineDamaged, SpineTooLarge
from slipway.artifacts import Artifact, ArtifactStore
from slipway.errors import invalid_field


class Spines:
    """The artifact store behind the limits for spines."""

    def __init__(self, artifacts: ArtifactStore, limit_bytes: int) -> None:
        self._artifacts = artifacts
        self._limit_bytes = limit_bytes

    async def store(self, expected: str, chunks: AsyncIterator[bytes]) -> Artifact:
        """Store all chunks, or none. Raises SpineDamaged, SpineTooLarge, InvalidInput when there are no bytes."""
        # The store keeps what ends well: a refusal out of the stream itself leaves nothing behind.
        return await self._artifacts.put(self._checked(expected, chunks), limit_bytes=self._limit_bytes)

    async def _checked(self, expected: str, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        size_bytes = 0
        digest = hashlib.sha256()
        async for chunk in chunks:
            size_bytes += len(chunk)
            if size_bytes > self._limit_bytes:
                raise SpineTooLarge(self._limit_bytes)
            digest.update(chunk)
            yield chunk
        if size_bytes == 0:
            raise invalid_field("chunk", "is empty; send the spine's bytes")
        actual = f"sha256:{digest.hexdigest()}"
        if expected and actual != expected:
            raise SpineDamaged(expected, actual)
