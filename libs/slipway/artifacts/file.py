"""Artifacts as files in a folder: ``<root>/sha256/<2 hex>/<64 hex>``, staged in ``<root>/staging``."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import os
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from pathlib import Path
from typing import BinaryIO

from slipway.artifacts.digest import digest_of, hex_of
from slipway.artifacts.errors import (
    ArtifactNotFound,
    ArtifactStoreFull,
    ArtifactStoreUnavailable,
    ArtifactTooLarge,
    CorruptArtifact,
)
from slipway.artifacts.port import CHUNK_BYTES, Artifact
from slipway.artifacts.staging import Staged, sweep
from slipway.durable import sync_folder

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class FileArtifacts:
    """An :class:`slipway.artifacts.ArtifactStore` in a folder, which several processes may share.

    Making one creates the folder and removes what writers that were killed had left in staging; a writer
    that lives, here or in another process, keeps its own. Every file operation runs in a thread.
    """

    def __init__(self, root: Path) -> None:
        self._artifacts = root / "sha256"
        self._staging = root / "staging"
        with _disk_errors():
            self._artifacts.mkdir(parents=True, exist_ok=True)
            self._staging.mkdir(exist_ok=True)
            sync_folder(root)
            sweep(self._staging)

    async def put(self, chunks: AsyncIterable[bytes], *, limit_bytes: int) -> Artifact:
        """See :meth:`slipway.artifacts.ArtifactStore.put`."""
        making = asyncio.create_task(asyncio.to_thread(Staged.create, self._staging))
        try:
            with _disk_errors():
                staged = await asyncio.shield(making)
            size_bytes = 0
            async for block in _blocks(chunks, limit_bytes):
                size_bytes += len(block)
                with _disk_errors():
                    await asyncio.to_thread(staged.write, block)
            with _disk_errors():
                hexdigest = await asyncio.to_thread(staged.seal)
                await asyncio.to_thread(staged.publish, self._path(hexdigest))
        finally:
            await asyncio.shield(_discard(making))
        return Artifact(f"sha256:{hexdigest}", size_bytes)

    async def read(self, digest: str) -> bytes:
        """See :meth:`slipway.artifacts.ArtifactStore.read`."""
        path = self._path(hex_of(digest))
        with _disk_errors(digest):
            data, found = await asyncio.to_thread(_load, path)
        if found != digest:
            raise CorruptArtifact(digest)
        return data

    async def chunks(self, digest: str, size: int = CHUNK_BYTES) -> AsyncIterator[bytes]:
        """See :meth:`slipway.artifacts.ArtifactStore.chunks`."""
        path = self._path(hex_of(digest))
        with _disk_errors(digest):
            file = await asyncio.to_thread(_open, path)
        passed = hashlib.sha256()
        try:
            while True:
                with _disk_errors():
                    chunk = await asyncio.to_thread(_next_chunk, file, size, passed)
                if not chunk:
                    break
                yield chunk
        finally:
            await asyncio.shield(asyncio.to_thread(file.close))
        if f"sha256:{passed.hexdigest()}" != digest:
            raise CorruptArtifact(digest)

    async def has(self, digest: str) -> bool:
        """See :meth:`slipway.artifacts.ArtifactStore.has`."""
        path = self._path(hex_of(digest))
        with _disk_errors():
            return await asyncio.to_thread(path.is_file)

    def _path(self, hexdigest: str) -> Path:
        return self._artifacts / hexdigest[:2] / hexdigest


async def _discard(making: asyncio.Task[Staged]) -> None:
    """Remove what is staged, also what was still being made when its writer left."""
    await asyncio.wait({making})
    if making.exception() is None:
        await asyncio.to_thread(making.result().discard)


async def _blocks(chunks: AsyncIterable[bytes], limit_bytes: int) -> AsyncIterator[bytes]:
    """The same bytes in blocks worth a thread's while; refuses the chunk that passes the limit."""
    received_bytes = 0
    block = bytearray()
    async for chunk in chunks:
        received_bytes += len(chunk)
        if received_bytes > limit_bytes:
            raise ArtifactTooLarge(received_bytes, limit_bytes)
        block += chunk
        if len(block) >= CHUNK_BYTES:
            yield bytes(block)
            block.clear()
    yield bytes(block)


def _open(path: Path) -> BinaryIO:
    # An artifact is a plain file: a link planted in the store leads nowhere.
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb")


def _load(path: Path) -> tuple[bytes, str]:
    with _open(path) as file:
        data = file.read()
    return data, digest_of(data)


def _next_chunk(file: BinaryIO, size: int, passed: hashlib._Hash) -> bytes:
    chunk = file.read(size)
    passed.update(chunk)
    return chunk


@contextlib.contextmanager
def _disk_errors(digest: str | None = None) -> Iterator[None]:
    """Tell the disk's errors in our words; with a ``digest``, a missing file is a missing artifact."""
    try:
        yield
    except OSError as error:
        if digest is not None and error.errno == errno.ENOENT:
            raise ArtifactNotFound(digest) from None
        if error.errno in _NO_ROOM:
            raise ArtifactStoreFull from error
        raise ArtifactStoreUnavailable from error
