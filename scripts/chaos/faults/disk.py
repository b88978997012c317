"""A disk that is full for a while: the data folder on a small file system in memory."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from scripts.chaos.fault import Injection
from scripts.chaos.faults.plain import Plain
from scripts.chaos.load import Needs, Scene

_SIZE_MIB = {"embedded": 192, "stack": 1024}
_CHUNK = bytes(64 * 1024)
_LASTS_S = (2.0, 5.0)


class DiskFull(Plain):
    """The disk of everything is filled to the last byte, that of databases and brokers too, and emptied again."""

    name = "disk-full"

    def __init__(self) -> None:
        self._size_mib = 0

    def unsuited(self, needs: Needs, profile: str) -> str | None:
        """See Fault."""
        self._size_mib = _SIZE_MIB[profile]
        return None if os.geteuid() == 0 else "only root may mount a small tmpfs"

    @asynccontextmanager
    async def around(self, folder: Path) -> AsyncIterator[None]:
        """See Fault. A resumed cell begins on an empty disk."""
        place = folder / "data"
        place.mkdir(parents=True, exist_ok=True)
        await _run("mount", "-t", "tmpfs", "-o", f"size={self._size_mib}m,mode=0700", "tmpfs", str(place))
        try:
            yield
        finally:
            # What goes with the file system is told by its logs afterwards.
            shutil.copytree(place / "log", folder / "log", dirs_exist_ok=True)
            await _run("umount", str(place))

    async def inject(self, scene: Scene, needs: Needs, dice: random.Random) -> Injection:
        """See Fault."""
        ballast, lasts_s = scene.platform.folder / "ballast", dice.uniform(*_LASTS_S)
        began_s = time.monotonic()
        try:
            await asyncio.to_thread(_fill, ballast)
            until_s = time.monotonic() + lasts_s
            while time.monotonic() < until_s:
                await asyncio.to_thread(_fill, ballast)  # what was freed meanwhile
                await asyncio.sleep(0.05)
        finally:
            ballast.unlink(missing_ok=True)
        # A server that is still going over what it wrote may not meet the next one: see docs/reliability.md.
        await scene.platform.all_serve()
        return Injection(began_s, "disk full", facts={"lasted_s": round(lasts_s, 2)})


def _fill(ballast: Path) -> None:
    descriptor = os.open(ballast, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        for size in (len(_CHUNK), 4096, 1):
            with suppress(OSError):
                while os.write(descriptor, _CHUNK[:size]):
                    pass
    finally:
        os.close(descriptor)


async def _run(*command: str) -> None:
    await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True)
