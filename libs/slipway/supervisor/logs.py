"""The log file of each unit, ``$SLIPWAY_DATA/log/<unit>.log``: what it wrote to stdout and stderr."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

ROTATE_BYTES = 10 * 1024 * 1024
_TAIL_BYTES = 256 * 1024
_FOLLOW_S = 0.2


def log_path(data: Path, unit: str) -> Path:
    """Where ``unit`` (a service, redis, ray or supervisor) logs."""
    return data / "log" / f"{unit}.log"


def rotate(path: Path, limit_bytes: int = ROTATE_BYTES) -> None:
    """Move a log that has outgrown ``limit_bytes`` to ``<name>.log.1``, over the one before it."""
    if path.is_file() and path.stat().st_size > limit_bytes:
        path.replace(path.with_suffix(".log.1"))


def size(path: Path) -> int:
    """Bytes in the log now, 0 when there is none."""
    return path.stat().st_size if path.is_file() else 0


def tail(path: Path, lines: int, start: int = 0) -> list[str]:
    """The last ``lines`` lines, of the last 256 KiB, written after byte ``start``."""
    if not path.is_file() or lines <= 0:
        return []
    end = path.stat().st_size
    begin = max(start if start <= end else 0, end - _TAIL_BYTES)
    with path.open("rb") as file:
        file.seek(begin)
        text = file.read(end - begin).decode("utf-8", errors="replace")
    return text.splitlines()[-lines:]


def follow(paths: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    """Every whole line written from now on, for ever; copes with rotation and logs that appear later."""
    offsets = {path: size(path) for path in paths}
    while True:
        for path in paths:
            if size(path) < offsets[path]:
                offsets[path] = 0
            for line in _whole_lines(path, offsets[path]):
                offsets[path] += len(line)
                yield path, line.decode("utf-8", errors="replace").rstrip("\n")
        time.sleep(_FOLLOW_S)


def _whole_lines(path: Path, offset: int) -> list[bytes]:
    if size(path) <= offset:
        return []
    with path.open("rb") as file:
        file.seek(offset)
        return [line for line in file.readlines(_TAIL_BYTES) if line.endswith(b"\n")]
