from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from slipway.artifacts import ArtifactStoreFull, ArtifactStoreUnavailable, FileArtifacts
from slipway.artifacts.staging import Staged, sweep

STUCK_WRITER = """
import asyncio, sys, pathlib
from slipway.artifacts import FileArtifacts

async def chunks():
    yield bytes(3_000_000)
    print("staged", flush=True)
    await asyncio.Event().wait()

asyncio.run(FileArtifacts(pathlib.Path(sys.argv[1])).put(chunks(), limit_bytes=1 << 30))
"""

BUSY_WRITER = """
import asyncio, itertools, sys, pathlib
from slipway.artifacts import FileArtifacts

async def chunks(n):
    yield b"%d" % n
    yield bytes(2_000_000)

async def main():
    store = FileArtifacts(pathlib.Path(sys.argv[1]))
    for n in itertools.count():
        print((await store.put(chunks(n), limit_bytes=1 << 30)).digest, flush=True)

asyncio.run(main())
"""


async def once(data: bytes) -> AsyncIterator[bytes]:
    yield data


def run_until(script: str, root: Path, lines: int) -> list[str]:
    """Run ``script``, kill -9 it after so many lines, and give every line it printed."""
    with subprocess.Popen([sys.executable, "-c", script, root], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        printed = [child.stdout.readline() for _ in range(lines)]
        child.kill()
        return [line.strip() for line in [*printed, *child.stdout] if line.endswith("\n")]


def kept(root: Path) -> list[Path]:
    return list((root / "sha256").glob("*/*"))


def staged(root: Path) -> list[Path]:
    return list((root / "staging").iterdir())


def test_a_writer_killed_midway_leaves_no_artifact_and_its_staging_is_swept(tmp_path: Path) -> None:
    assert run_until(STUCK_WRITER, tmp_path, 1) == ["staged"]
    assert not kept(tmp_path)
    assert len(staged(tmp_path)) == 1
    FileArtifacts(tmp_path)
    assert not staged(tmp_path)


@pytest.mark.parametrize("lines", [1, 3])
async def test_what_a_killed_writer_had_acknowledged_is_whole(tmp_path: Path, lines: int) -> None:
    acknowledged = run_until(BUSY_WRITER, tmp_path, lines)
    store = FileArtifacts(tmp_path)
    assert len(acknowledged) >= lines
    assert {path.name for path in kept(tmp_path)} >= {line.removeprefix("sha256:") for line in acknowledged}
    for path in kept(tmp_path):
        assert len(await store.read(f"sha256:{path.name}")) > 2_000_000


async def test_opening_beside_a_living_writer_leaves_its_staging(tmp_path: Path) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def paused() -> AsyncIterator[bytes]:
        yield b"first "
        begun.set()
        await go_on.wait()
        yield b"second"

    first = FileArtifacts(tmp_path)
    put = asyncio.create_task(first.put(paused(), limit_bytes=100))
    await begun.wait()
    second = FileArtifacts(tmp_path)
    go_on.set()
    assert await second.read((await put).digest) == b"first second"


def test_a_sweep_takes_the_orphan_and_leaves_the_writer(tmp_path: Path) -> None:
    (tmp_path / "orphan").write_bytes(b"half")
    writer = Staged.create(tmp_path)
    assert sweep(tmp_path) == 1
    assert len(list(tmp_path.iterdir())) == 1
    writer.discard()
    assert not list(tmp_path.iterdir())


async def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    store = FileArtifacts(tmp_path)
    _, hard = limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    try:
        with pytest.raises(ArtifactStoreFull):
            await store.put(once(bytes(1_500_000)), limit_bytes=1 << 30)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not kept(tmp_path)
    assert not staged(tmp_path)


async def test_a_link_planted_in_the_store_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    root = tmp_path / "root"
    store = FileArtifacts(root)
    digest = "ab" * 32
    (root / "sha256" / "ab").mkdir()
    (root / "sha256" / "ab" / digest).symlink_to(secret)
    with pytest.raises(ArtifactStoreUnavailable):
        await store.read(f"sha256:{digest}")


async def test_an_artifact_is_read_only(tmp_path: Path) -> None:
    await FileArtifacts(tmp_path).put(once(b"x"), limit_bytes=1)
    assert [path.stat().st_mode & 0o777 for path in kept(tmp_path)] == [0o444]


def test_a_root_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "taken").write_bytes(b"")
    with pytest.raises(ArtifactStoreUnavailable):
        FileArtifacts(tmp_path / "taken")


@pytest.mark.parametrize("turns", range(10))
async def test_who_leaves_while_a_file_is_being_staged_leaves_none(tmp_path: Path, turns: int) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"half"
            await asyncio.sleep(0)

    writer = asyncio.create_task(FileArtifacts(tmp_path).put(endless(), limit_bytes=10**9))
    for _ in range(turns):
        await asyncio.sleep(0)
    writer.cancel()
    await asyncio.wait({writer})
    # A thread that still makes one would be done then.
    await asyncio.get_running_loop().shutdown_default_executor()
    assert list((tmp_path / "staging").iterdir()) == []
