"""Sources as files: where they are, and the digest of what they hold."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

_SUFFIXES = {".parquet", ".pq"}
_BLOCK_BYTES = 1024 * 1024
_KEPT = 10_000


def within(root: Path, path: str) -> Path | None:
    """The place of a source: absolute, or relative to ``root``; None when a relative one leads out of it."""
    if Path(path).is_absolute():
        return Path(path)
    resolved = (root / path).resolve()
    return resolved if resolved.is_relative_to(root.resolve()) else None


def files_of(place: Path) -> list[Path]:
    """The file itself, or the Parquet files of the folder and of its folders, by name; none when nothing is there."""
    if place.is_file():
        return [place]
    found = (Path(folder) / name for folder, _, names in os.walk(place) for name in names)
    return sorted(one for one in found if one.suffix in _SUFFIXES and not one.name.startswith((".", "_")))


def digest_of(files: Sequence[Path], known: dict[tuple[object, ...], bytes] | None = None) -> str:
    """The digest of all bytes, whatever the files' names: they count by their order alone. Raises OSError."""
    whole = hashlib.sha256()
    for file in files:
        whole.update(_digest_of_file(file, {} if known is None else known))
    return f"sha256:{whole.hexdigest()}"


def _digest_of_file(path: Path, known: dict[tuple[object, ...], bytes]) -> bytes:
    with path.open("rb") as file:
        told = os.fstat(file.fileno())
        stamp = (told.st_dev, told.st_ino, told.st_size, told.st_mtime_ns)
        if stamp not in known:
            digest = hashlib.sha256()
            while block := file.read(_BLOCK_BYTES):
                digest.update(block)
            if len(known) >= _KEPT:
                known.clear()
            known[stamp] = digest.digest()
    return known[stamp]


class FileSources:
    """The sources under a folder. A file that did not change is read once, however often it is asked about."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[tuple[object, ...], bytes] = {}

    async def digest(self, path: str) -> str | None:
        """See Sources."""
        place = within(self._root, path)
        return None if place is None else await asyncio.to_thread(self._digest, place)

    def _digest(self, place: Path) -> str:
        try:
            files = files_of(place)
            return digest_of(files, self._known) if files else ""
        except OSError:
            return ""
