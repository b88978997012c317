"""The log file of each unit, ``$SLIPWAY_DATA/log/<unit>.log``: what it wrote to stdout and stderr."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
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


def tail(path: Path, lines: int, start: int = 0, end: int | None = None) -> list[str]:
    """The last ``lines`` lines, of the last 256 KiB, written after byte ``start`` and before ``end``."""
    if not path.is_file() or lines <= 0:
        return []
    end = size(path) if end is None else end
    begin = max(start if start <= end else 0, end - _TAIL_BYTES)
    with path.open("rb") as file:
        file.seek(begin)
        text = file.read(end - begin).decode("utf-8", errors="replace")
    return text.splitlines()[-lines:]


def follow(begin: Mapping[Path, int]) -> Iterator[tuple[Path, str]]:
    """Every whole line after the given offset of each log, for ever.

    Copes with rotation and with logs that appear later.
    """
    offsets = dict(begin)
    while True:
        for path, seen in offsets.items():
            offset = seen if seen <= size(path) else 0
            for line in _whole_lines(path, offset):
                offset += len(line)
                yield path, line.decode("utf-8", errors="replace").rstrip("\n")
            offsets[path] = offset
        time.sleep(_FOLLOW_S)


def _whole_lines(path: Path, offset: int) -> list[bytes]:
    if size(path) <= offset:
        return []
    with path.open("rb") as file:
        file.seek(offset)
        return [line for line in file.readlines(_TAIL_BYTES) if line.endswith(b"\n")]
