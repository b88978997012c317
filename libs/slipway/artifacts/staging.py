"""Files on their way in: written aside, locked by their writer, swept when the writer is gone."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import secrets
from pathlib import Path
from typing import BinaryIO

from slipway.durable import sync_folder
from slipway.failpoints import hit


class Staged:
    """One file being written, not visible as an artifact until :meth:`publish`.

    Its methods may run in any thread: the buffered file's own lock keeps a late write and a discard apart.
    """

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path = path
        self._file = file
        self._hash = hashlib.sha256()

    @classmethod
    def create(cls, folder: Path) -> Staged:
        """Begin a file in ``folder``."""
        while True:
            path = folder / secrets.token_hex(16)
            file = path.open("xb")
            fcntl.flock(file, fcntl.LOCK_EX)
            # A sweep between the two lines above takes the file for an orphan's.
            if os.fstat(file.fileno()).st_nlink:
                return cls(path, file)
            file.close()

    def write(self, data: bytes) -> None:
        """Append bytes."""
        self._file.write(data)
        self._hash.update(data)

    def seal(self) -> str:
        """Make the bytes durable and read-only; gives their SHA-256 in hex."""
        self._file.flush()
        os.fchmod(self._file.fileno(), 0o444)
        os.fsync(self._file.fileno())
        return self._hash.hexdigest()

    def publish(self, target: Path) -> None:
        """Move the sealed file to ``target``, durably; a file that is there gives way.

        ``target``'s folder and its parent are synced, because another writer may have made the folder a
        moment ago and not synced it yet.
        """
        target.parent.mkdir(exist_ok=True)
        hit("artifacts.rename.before")
        self._path.replace(target)
        hit("artifacts.rename.after")
        sync_folder(target.parent)
        sync_folder(target.parent.parent)
        self._file.close()

    def discard(self) -> None:
        """Remove the file, unless it was published."""
        self._path.unlink(missing_ok=True)
        # Closing flushes, and a full disk refuses; the file is gone all the same.
        with contextlib.suppress(OSError):
            self._file.close()


def sweep(folder: Path) -> int:
    """Remove the staged files whose writers are gone; gives their count."""
    swept = 0
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            path.unlink()
            swept += 1
    return swept
