"""What every artifact store promises; an adapter joins by a line in conftest.py."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from slipway.artifacts import Artifact, ArtifactNotFound, ArtifactTooLarge, CorruptArtifact, InvalidDigest
from slipway.errors import Kind

LIMIT = 16 * 1024 * 1024
HEX = "a" * 64
BAD_DIGESTS = [
    "",
    "sha256:",
    HEX,
    f"sha256:{HEX[:-1]}",
    f"sha256:{HEX}a",
    f"sha256:{HEX.upper()}",
    f"SHA256:{HEX}",
    f"md5:{HEX}",
    f" sha256:{HEX}",
    f"sha256:{HEX}\n",
    f"sha256:{HEX}\x00",
    f"sha256:../{HEX[3:]}",
    "sha256:../../canary",
    "sha256:..%2f..%2fcanary",
    "sha256:....//....//canary",
    "sha256:..\\..\\canary",
    "../canary",
    "/etc/passwd",
    "sha256:/etc/passwd",
    f"sha256:{HEX[:32]}/../../../canary",
    "sha256:" + "\u0663" * 64,
    "sha256:" + "\uff41" * 64,
    f"sha256:{HEX[:-1]}\u212a",
    "sha256:staging",
]


async def stream(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def named(data: bytes) -> Artifact:
    return Artifact(f"sha256:{hashlib.sha256(data).hexdigest()}", len(data))


def names(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


@pytest.mark.parametrize("chunks", [[], [b""], [b"a"], [b"ab", b"", b"c"], [bytes(700_000)] * 5])
async def test_what_is_put_is_read(subject: Any, chunks: list[bytes]) -> None:
    data = b"".join(chunks)
    artifact = await subject.store.put(stream(*chunks), limit_bytes=LIMIT)
    assert artifact == named(data)
    assert await subject.store.read(artifact.digest) == data
    assert b"".join([chunk async for chunk in subject.store.chunks(artifact.digest)]) == data
    assert await subject.store.has(artifact.digest)
    assert subject.staged() == 0


async def test_chunks_keep_their_size(subject: Any) -> None:
    artifact = await subject.store.put(stream(b"0123456789"), limit_bytes=LIMIT)
    assert [chunk async for chunk in subject.store.chunks(artifact.digest, 4)] == [b"0123", b"4567", b"89"]


async def test_a_missing_artifact_is_not_found(subject: Any) -> None:
    digest = named(b"never put").digest
    assert not await subject.store.has(digest)
    with pytest.raises(ArtifactNotFound) as caught:
        await subject.store.read(digest)
    assert caught.value.kind is Kind.NOT_FOUND
    assert caught.value.facts == {"digest": digest}
    with pytest.raises(ArtifactNotFound):
        await anext(subject.store.chunks(digest))


async def test_a_damaged_byte_is_noticed_and_mended_by_another_put(subject: Any) -> None:
    artifact = await subject.store.put(stream(b"weights"), limit_bytes=LIMIT)
    subject.damage(artifact.digest)
    with pytest.raises(CorruptArtifact) as caught:
        await subject.store.read(artifact.digest)
    assert caught.value.kind is Kind.DATA_LOSS
    with pytest.raises(CorruptArtifact):
        [chunk async for chunk in subject.store.chunks(artifact.digest)]
    await subject.store.put(stream(b"weights"), limit_bytes=LIMIT)
    assert await subject.store.read(artifact.digest) == b"weights"


@pytest.mark.parametrize("digest", BAD_DIGESTS, ids=ascii)
async def test_an_ill_formed_digest_is_refused_by_name(subject: Any, digest: str, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    canary.write_bytes(b"out of bounds")
    before = names(tmp_path)
    for call in (subject.store.read(digest), subject.store.has(digest), anext(subject.store.chunks(digest))):
        with pytest.raises(InvalidDigest) as caught:
            await call
        assert caught.value.kind is Kind.INVALID_ARGUMENT
        assert caught.value.violations[0].field == "digest"
    assert names(tmp_path) == before
    assert canary.read_bytes() == b"out of bounds"


async def test_the_limit_is_the_last_size_that_passes(subject: Any) -> None:
    assert (await subject.store.put(stream(b"12", b"345"), limit_bytes=5)).size_bytes == 5
    with pytest.raises(ArtifactTooLarge, match="limit of 5") as caught:
        await subject.store.put(stream(b"12", b"3456"), limit_bytes=5)
    assert caught.value.kind is Kind.INVALID_ARGUMENT
    assert subject.staged() == 0
    assert subject.kept() == 1


async def test_an_endless_stream_is_cut_at_the_limit(subject: Any) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield bytes(100_000)

    with pytest.raises(ArtifactTooLarge):
        await subject.store.put(endless(), limit_bytes=3_000_000)
    assert sent == 31
    assert subject.staged() == subject.kept() == 0


async def test_a_source_that_fails_leaves_nothing(subject: Any) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield bytes(2_000_000)
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await subject.store.put(broken(), limit_bytes=LIMIT)
    assert subject.staged() == subject.kept() == 0


async def test_a_cancelled_put_leaves_nothing(subject: Any) -> None:
    begun = asyncio.Event()

    async def stuck() -> AsyncIterator[bytes]:
        yield bytes(2_000_000)
        begun.set()
        await asyncio.Event().wait()

    put = asyncio.create_task(subject.store.put(stuck(), limit_bytes=LIMIT))
    await begun.wait()
    put.cancel()
    with pytest.raises(asyncio.CancelledError):
        await put
    assert subject.staged() == subject.kept() == 0


async def test_the_same_bytes_put_at_once_are_one_artifact(subject: Any) -> None:
    data = [bytes(300_000), b"tail"]
    puts = [subject.store.put(stream(*data), limit_bytes=LIMIT) for _ in range(16)]
    assert set(await asyncio.gather(*puts)) == {named(b"".join(data))}
    assert subject.kept() == 1
    assert subject.staged() == 0
