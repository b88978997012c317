from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc.aio
import pytest

from slipway.errors import Kind, SlipwayError
from slipway.gen.slipway.registry.v1 import registry_pb2 as pb

PAUSE_S = 0.01  # between looks, which would keep a core from those that are waited for
MIB = 1024 * 1024


def pieces(data: bytes, size: int = MIB, expected: str = "") -> list[pb.UploadArtifactRequest]:
    cut = [pb.UploadArtifactRequest(chunk=data[start : start + size]) for start in range(0, len(data), size)]
    cut[0].expected_digest = expected
    return cut


async def refused(awaitable: Any) -> SlipwayError:
    with pytest.raises(SlipwayError) as caught:
        await awaitable
    return caught.value


async def download(wire: Any, digest: str) -> bytes:
    request = pb.DownloadArtifactRequest(digest=digest).SerializeToString()
    return b"".join([piece.chunk async for piece in wire.stream("DownloadArtifact", request)])


def kept(wire: Any) -> list[Path]:
    return [path for path in wire.config.artifacts.rglob("*") if path.is_file()]


async def test_bytes_come_back_as_they_went(wire: Any, digest_of: Any) -> None:
    data = bytes(range(256)) * 12_345
    stored = (await wire.upload(*pieces(data, expected=digest_of(data)))).artifact
    assert (stored.digest, stored.size_bytes) == (digest_of(data), len(data))
    assert (await wire.upload(*pieces(data, size=100_000))).artifact == stored
    assert await download(wire, stored.digest) == data
    assert len(kept(wire)) == 1


async def test_bytes_that_are_not_the_announced_ones_leave_nothing(wire: Any, digest_of: Any) -> None:
    error = await refused(wire.upload(*pieces(b"these", expected=digest_of(b"those"))))
    assert (error.kind, error.reason) == (Kind.DATA_LOSS, "DIGEST_MISMATCH")
    assert error.facts == {"expected": digest_of(b"those"), "actual": digest_of(b"these")}
    assert kept(wire) == []


@pytest.mark.parametrize("sent", [[], [b""], [pb.UploadArtifactRequest(chunk=b"")] * 2])
async def test_an_upload_of_nothing_leaves_nothing(wire: Any, sent: list[Any]) -> None:
    error = await refused(wire.upload(*sent))
    assert (error.kind, [one.field for one in error.violations]) == (Kind.INVALID_ARGUMENT, ["chunk"])
    assert kept(wire) == []


async def test_junk_in_the_middle_of_an_upload_leaves_nothing(wire: Any) -> None:
    error = await refused(wire.upload(pb.UploadArtifactRequest(chunk=b"good"), b"\xff\xff\xff"))
    assert (error.kind, error.reason) == (Kind.INVALID_ARGUMENT, "MALFORMED_MESSAGE")
    assert kept(wire) == []


async def test_an_artifact_over_the_limit_is_refused_and_leaves_nothing(small: Any) -> None:
    error = await refused(small.upload(*pieces(b"x" * 1001, size=100)))
    assert (error.kind, error.reason) == (Kind.RESOURCE_EXHAUSTED, "ARTIFACT_TOO_LARGE")
    assert error.facts == {"limit_bytes": "1000"}
    assert kept(small) == []
    assert (await small.upload(*pieces(b"x" * 1000, size=100))).artifact.size_bytes == 1000


async def test_bytes_damaged_on_disk_are_never_given_out_as_good(wire: Any, drafted: Any) -> None:
    await wire.versions("m")
    stored = await wire.artifact(b"network" * 1000)
    (path,) = [path for path in kept(wire) if path.name == stored.digest.removeprefix("sha256:")]
    path.chmod(0o644)
    path.write_bytes(b"netwark" + b"network" * 999)
    error = await refused(download(wire, stored.digest))
    assert (error.kind, error.reason) == (Kind.DATA_LOSS, "CORRUPT_ARTIFACT")
    request = pb.CreateModelVersionRequest(request_id="r", version=drafted("m", stored.digest))
    assert (await refused(wire.call("CreateModelVersion", request))).kind is Kind.DATA_LOSS


async def test_an_unknown_artifact_is_not_found(wire: Any) -> None:
    error = await refused(download(wire, "sha256:" + "0" * 64))
    assert (error.kind, error.reason) == (Kind.NOT_FOUND, "ARTIFACT_NOT_FOUND")


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():
            await asyncio.sleep(PAUSE_S)


def open_files(folder: Path) -> int:
    return sum(1 for link in Path("/proc/self/fd").iterdir() if link.is_symlink() and folder in link.resolve().parents)


async def test_a_client_that_vanishes_in_the_middle_leaves_no_file_open_and_nothing_staged(wire: Any) -> None:
    stored = (await wire.upload(*pieces(bytes(20 * MIB)))).artifact
    before = open_files(wire.config.artifacts)
    request = pb.DownloadArtifactRequest(digest=stored.digest).SerializeToString()
    channel: Any
    async with grpc.aio.insecure_channel(f"127.0.0.1:{wire.server.port}") as channel:
        for _ in range(5):
            call = channel.unary_stream("/slipway.registry.v1.RegistryService/DownloadArtifact")(request)
            await call.read()
        upload = channel.stream_unary("/slipway.registry.v1.RegistryService/UploadArtifact")()
        await upload.write(pb.UploadArtifactRequest(chunk=b"half").SerializeToString())
        await until(lambda: len(kept(wire)) == 2)
    await until(lambda: wire.server.open_streams == 0)
    await until(lambda: len(kept(wire)) == 1)
    await until(lambda: open_files(wire.config.artifacts) == before)
