"""Taking spines in."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator

from services.feature_serving.domain.training_errors import SpineDamaged, SpineTooLarge
from slipway.artifacts import Artifact, ArtifactStore
from slipway.errors import invalid_field

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def check_digest(field: str, digest: str) -> str:
    """The digest, well-formed. Raises InvalidInput about ``field``."""
    if not _DIGEST.fullmatch(digest):
        raise invalid_field(field, f"{digest[:80]!r} is no digest; give 'sha256:' and 64 lower-case hex digits")
    return digest


class Spines:
    """The artifact store behind the limits for spines."""

    def __init__(self, artifacts: ArtifactStore, limit_bytes: int) -> None:
        self._artifacts = artifacts
        self._limit_bytes = limit_bytes

    async def store(self, expected: str, chunks: AsyncIterator[bytes]) -> Artifact:
        """Store all chunks, or none. Raises SpineDamaged, SpineTooLarge, InvalidInput when there are no bytes."""
        if expected:
            check_digest("expected_digest", expected)
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
