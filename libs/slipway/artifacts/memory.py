"""Artifacts in a dictionary, for tests of engines."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator

from slipway.artifacts.digest import digest_of, hex_of
from slipway.artifacts.errors import ArtifactNotFound, ArtifactTooLarge, CorruptArtifact
from slipway.artifacts.port import CHUNK_BYTES, Artifact


class MemoryArtifacts:
    """An :class:`slipway.artifacts.ArtifactStore` that forgets everything with its process."""

    def __init__(self) -> None:
        self._stored: dict[str, bytes] = {}

    async def put(self, chunks: AsyncIterable[bytes], *, limit_bytes: int) -> Artifact:
        """See :meth:`slipway.artifacts.ArtifactStore.put`."""
        data = bytearray()
        async for chunk in chunks:
            data += chunk
            if len(data) > limit_bytes:
                raise ArtifactTooLarge(len(data), limit_bytes)
        artifact = Artifact(digest_of(bytes(data)), len(data))
        self._stored[hex_of(artifact.digest)] = bytes(data)
        return artifact

    async def read(self, digest: str) -> bytes:
        """See :meth:`slipway.artifacts.ArtifactStore.read`."""
        data = self._stored.get(hex_of(digest))
        if data is None:
            raise ArtifactNotFound(digest)
        if digest_of(data) != digest:
            raise CorruptArtifact(digest)
        return data

    async def chunks(self, digest: str, size: int = CHUNK_BYTES) -> AsyncIterator[bytes]:
        """See :meth:`slipway.artifacts.ArtifactStore.chunks`."""
        data = await self.read(digest)
        for start in range(0, len(data), size):
            yield data[start : start + size]

    async def has(self, digest: str) -> bool:
        """See :meth:`slipway.artifacts.ArtifactStore.has`."""
        return hex_of(digest) in self._stored
