"""What every artifact store promises."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass
from typing import Protocol

CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Artifact:
    """Bytes that are stored: their ``digest`` ("sha256:<64 hex>") and their length."""

    digest: str
    size_bytes: int


class ArtifactStore(Protocol):
    """Immutable bytes by digest. A digest is checked by form before any look-up (:class:`InvalidDigest`)."""

    async def put(self, chunks: AsyncIterable[bytes], *, limit_bytes: int) -> Artifact:
        """Store the concatenated chunks; durable and visible when it returns, absent when it raises.

        Putting the same bytes again, at once or later, gives the same artifact and mends a damaged one.
        Fails with :class:`ArtifactTooLarge` as soon as more than ``limit_bytes`` have come, and with
        whatever ``chunks`` raises.
        """
        ...

    async def read(self, digest: str) -> bytes:
        """All the bytes, verified. Fails with :class:`ArtifactNotFound` or :class:`CorruptArtifact`."""
        ...

    def chunks(self, digest: str, size: int = CHUNK_BYTES) -> AsyncIterator[bytes]:
        """The bytes in chunks of at most ``size``, verified as they pass.

        Damage is known only at the end: use nothing of it before the iterator has ended without a
        :class:`CorruptArtifact`. Fails with :class:`ArtifactNotFound` before the first chunk.
        """
        ...

    async def has(self, digest: str) -> bool:
        """Whether the artifact is here (its bytes are not read)."""
        ...
