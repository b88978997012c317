"""Taking spines in."""

from __future__ import annotations

from collections.abc import AsyncIterator

from services.feature_serving.domain.training_errors import SpineDamaged, SpineTooLarge
from slipway.artifacts import Announced, Artifact, ArtifactStore, check_digest


class Spines:
    """The artifact store behind the limits for spines."""

    def __init__(self, artifacts: ArtifactStore, limit_bytes: int) -> None:
        self._artifacts = artifacts
        self._limit_bytes = limit_bytes

    async def store(self, expected: str, chunks: AsyncIterator[bytes]) -> Artifact:
        """Store all chunks, or none. Raises SpineDamaged, SpineTooLarge, InvalidInput when there are no bytes."""
        if expected:
            check_digest("expected_digest", expected)
        spine = Announced("spine", expected, self._limit_bytes, SpineTooLarge, SpineDamaged)
        return await self._artifacts.put(spine.checked(chunks), limit_bytes=self._limit_bytes)
