"""The join in a child process: started for one set, tied to this process, gone when it has answered."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
import shutil
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from services.feature_serving.adapters.workplace import claim
from services.feature_serving.domain.recipe import to_document
from services.feature_serving.domain.training_errors import JoinFailed
from services.feature_serving.domain.training_set import Facts, SetColumn, SetInput, TrainingSet
from services.feature_serving.ports.training_sets import Joined
from slipway.artifacts import CHUNK_BYTES
from slipway.supervisor import tether

_MODULE = "services.feature_serving.adapters.join"
_ENGINES = ("duckdb", "numpy", "pyarrow")
_TOLD_CHARACTERS = 4_000
_log = logging.getLogger(__name__)


class ProcessJoiner:
    """See Joiner. ``folder`` is for what is being made; what a killed process left there goes with the next start."""

    def __init__(self, folder: Path, sources: Path, *, threads: int, memory_mib: int) -> None:
        self._place, self._lock = claim(folder)
        self._sources = sources
        self._limits = {"threads": threads, "memory_mib": memory_mib}
        self._code = _code()

    @property
    def code(self) -> str:
        """See Joiner."""
        return self._code

    @asynccontextmanager
    async def join(self, made: TrainingSet, spine: AsyncIterator[bytes]) -> AsyncIterator[Joined]:
        """See Joiner."""
        place = self._place / made.id
        try:
            await asyncio.to_thread(_empty, place)
            await _save(place / "spine.parquet", spine)
            output = place / "set.parquet"
            job = {
                "recipe": to_document(made.recipe),
                "spine": str(place / "spine.parquet"),
                "output": str(output),
                "sources": str(self._sources),
                "spill": str(place / "spill"),
                "limits": self._limits,
            }
            answer = await _answer(json.dumps(job).encode())
            if "error" in answer:
                raise JoinFailed(answer["error"])
            yield Joined(_facts(answer), _chunks(output))
        finally:
            await asyncio.shield(asyncio.to_thread(shutil.rmtree, place, ignore_errors=True))


async def _answer(job: bytes) -> Mapping[str, Any]:
    # Through the tether, so that the kernel ends it when this process dies, however that happens.
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", str(Path(tether.__file__)), str(os.getpid())),
        *(sys.executable, "-m", _MODULE),
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        start_new_session=True,
    )
    try:
        told, complaints = await process.communicate(job)
    except BaseException:
        await asyncio.shield(_end(process))
        raise
    if process.returncode == 0:
        answer: Mapping[str, Any] = json.loads(told)
        return answer
    complaint = complaints.decode(errors="replace")[-_TOLD_CHARACTERS:]
    _log.error("a join ended badly", extra={"status": process.returncode, "stderr": complaint})
    raise JoinFailed(_ending(process.returncode or 0))


def _ending(status: int) -> str:
    if status < 0:
        return (
            f"the process that joined was killed by signal {-status}: mostly for want of memory; "
            "lower training_sets.memory_mib of feature serving or give the machine more, and ask again"
        )
    return "the process that joined failed in a way that nobody foresaw; the log of feature serving says how"


async def _end(process: Process) -> None:
    if process.returncode is None:
        process.kill()
    await process.wait()


def _empty(place: Path) -> None:
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)


async def _save(path: Path, chunks: AsyncIterator[bytes]) -> None:
    with path.open("wb") as file:
        async for chunk in chunks:
            await asyncio.to_thread(file.write, chunk)


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
            yield chunk


def _facts(answer: Mapping[str, Any]) -> Facts:
    return Facts(
        answer["row_count"],
        answer["rows_after_cutoff"],
        tuple(SetColumn(**one) for one in answer["columns"]),
        tuple(SetInput(**one) for one in answer["inputs"]),
    )


def _code() -> str:
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).with_name("join").glob("*.py")):
        digest.update(file.read_bytes())
    engines = " ".join(f"{name} {version(name)}" for name in _ENGINES)
    return f"sha256:{digest.hexdigest()} {engines}"
