"""Files and names that survive a power cut, once the call that made them has returned."""

from __future__ import annotations

import os
from pathlib import Path

from slipway.failpoints import hit


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` durable. Raises OSError."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def replace_file(path: Path, data: bytes) -> None:
    """Make ``data`` the file's content: a crash leaves the old content or the new, whole. Raises OSError.

    For one writer at a time: what is staged lies beside the file, under its name and ``.staged``.
    """
    staged = path.with_suffix(".staged")
    with staged.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    hit("durable.rename.before")
    staged.replace(path)
    hit("durable.rename.after")
    sync_folder(path.parent)
