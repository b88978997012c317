"""Servers as processes of the benchmark: started, waited for, ended."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_GRACE_S = 20.0
_TAIL_BYTES = 2000


class NotStarted(Exception):
    """A server did not come up; the message holds the end of its log."""


@dataclass(frozen=True)
class Running:
    """A server that answers at ``address``; ``roots`` are the processes whose CPU time is its cost, by role.

    A gateway of this platform has its ``metrics`` at a URL.
    """

    address: str
    roots: Mapping[str, int]
    metrics: str = ""


@contextmanager
def process(command: Sequence[str], log: Path, environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run until the block ends, then ask it to end, and kill it when it does not."""
    with log.open("ab") as to, subprocess.Popen(command, stdout=to, stderr=to, env=environment) as started:
        try:
            yield started
        finally:
            started.terminate()
            try:
                started.wait(_GRACE_S)
            except subprocess.TimeoutExpired:
                started.kill()


def tails(folder: Path) -> str:
    """The ends of the logs in a folder."""
    found = [(log.name, log.read_bytes()[-_TAIL_BYTES:]) for log in sorted(folder.glob("*.log"))]
    return "\n".join(f"--- {name}\n{end.decode(errors='replace')}" for name, end in found)


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
