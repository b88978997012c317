"""The load generator of ``loader/``: built where it is missing, run against one method."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_SOURCES = Path(__file__).with_name("loader")
_NEEDS = "needs a C++17 compiler and the headers of libnghttp2 (Debian: g++ libnghttp2-dev)"


class LoaderFailed(Exception):
    """The load generator could not be built, or gave up; the message says why."""


@dataclass(frozen=True)
class Load:
    """What callers saw; times are of single requests that were answered, in milliseconds. ``codes`` count the rest."""

    requests: int
    failed: int
    elapsed_s: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    reply_bytes: int
    loader_cpu_s: float
    codes: dict[str, int]
    message: str


def cache() -> Path:
    """Where this platform's tools keep what they build and fetch."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "slipway"


def loader() -> Path:
    """The program, built from source on its first use; ``SLIPWAY_BENCH_LOADER`` names one that is built already."""
    if given := os.environ.get("SLIPWAY_BENCH_LOADER"):
        return Path(given)
    source = b"".join(path.read_bytes() for path in sorted(_SOURCES.iterdir()))
    built = cache() / "loader" / hashlib.sha256(source).hexdigest()[:16]
    if not built.exists():
        print("bench: building the load generator", file=sys.stderr)
        _build(built)
    return built


def _build(target: Path) -> None:
    compiler = shutil.which(os.environ.get("CXX", "g++")) or shutil.which("c++")
    if compiler is None:
        raise LoaderFailed(f"found no C++ compiler; the load generator {_NEEDS}")
    target.parent.mkdir(parents=True, exist_ok=True)
    build = [compiler, "-O2", "-std=c++17", str(_SOURCES / "loader.cpp")]
    with tempfile.TemporaryDirectory(dir=target.parent) as place:
        made, told = Path(place) / "loader", ""
        for extra in (["-static"], []):  # a static one also runs where the library is not
            command = [*build, *extra, "-o", str(made), "-lnghttp2"]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode == 0:
                made.replace(target)
                return
            told = done.stderr
    raise LoaderFailed(f"the load generator does not compile; it {_NEEDS}:\n{told}")


def generate(
    address: str,
    method: str,
    body: bytes,
    *,
    streams: int,
    connections: int = 1,
    warm_up_s: float,
    seconds: float,
    at_edges: Callable[[], None] = lambda: None,
) -> Load:
    """A closed loop of ``streams`` callers; ``at_edges`` is called as the time begins and as it is over.

    Raises LoaderFailed.
    """
    host, _, port = address.rpartition(":")
    with tempfile.NamedTemporaryFile() as file:
        file.write(body)
        file.flush()
        loop = [str(streams), str(min(connections, streams)), str(warm_up_s), str(seconds)]
        command = [str(loader()), host, port, method, file.name, *loop]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            lines = []
            for line in process.stdout or ():
                at_edges()
                lines.append(line)
            told = process.stderr.read() if process.stderr else ""
        if process.returncode or len(lines) != 2:
            raise LoaderFailed(f"{address}{method}: {told.strip() or 'the load generator said nothing'}")
    return Load(**json.loads(lines[1]))
