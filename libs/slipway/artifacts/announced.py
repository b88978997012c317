"""Bytes that somebody sends, held to what was announced of them."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from slipway.errors import SlipwayError, invalid_field


@dataclass(frozen=True, slots=True)
class Announced:
    """What an upload may be: ``limit_bytes`` at most, and where ``digest`` is not empty, these very bytes.

    ``too_large`` (made from the limit) and ``damaged`` (from the digest announced and the one that came) are the
    errors of whoever takes it in; ``what`` names it in the one about an upload without bytes.
    """

    what: str
    digest: str
    limit_bytes: int
    too_large: Callable[[int], SlipwayError]
    damaged: Callable[[str, str], SlipwayError]

    async def checked(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The chunks as they come. Raises ``too_large``, ``damaged``, and InvalidInput when there are no bytes.

        A store keeps what ends well, so a refusal out of the stream itself leaves nothing behind.
        """
        size_bytes, passed = 0, hashlib.sha256()
        async for chunk in chunks:
            size_bytes += len(chunk)
            if size_bytes > self.limit_bytes:
                raise self.too_large(self.limit_bytes)
            if self.digest:
                passed.update(chunk)
            yield chunk
        if size_bytes == 0:
            raise invalid_field("chunk", f"is empty; send the {self.what}'s bytes")
        actual = f"sha256:{passed.hexdigest()}"
        if self.digest and actual != self.digest:
            raise self.damaged(self.digest, actual)
