"""A folder of a process's own among those of others; what dead ones left is swept."""

from __future__ import annotations

import contextlib
import fcntl
import secrets
import shutil
from pathlib import Path
from typing import BinaryIO

_LOCK = ".lock"


def claim(folder: Path) -> tuple[Path, BinaryIO]:
    """A new folder in ``folder``, and the lock that keeps it: closed, or its process gone, the folder may go.

    Raises OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _sweep(folder)
    place = folder / secrets.token_hex(8)
    # Locked before the folder is there, so that no sweep finds it without.
    lock = place.with_suffix(_LOCK).open("wb")
    fcntl.flock(lock, fcntl.LOCK_EX)
    place.mkdir()
    return place, lock


def _sweep(folder: Path) -> None:
    for path in folder.glob(f"*{_LOCK}"):
        with contextlib.suppress(FileNotFoundError), path.open("rb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            shutil.rmtree(path.with_suffix(""), ignore_errors=True)
            path.unlink()
