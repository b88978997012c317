"""One scheduler at a time on one folder of data."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from slipway.errors import Kind, SlipwayError, Unavailable


class AlreadyRunning(SlipwayError):
    """Another scheduler works on this data."""

    kind = Kind.FAILED_PRECONDITION
    reason = "ALREADY_RUNNING"

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"another slipway-training works on {folder}; end it, or give this one its own data folder (SLIPWAY_DATA)"
        )


class FolderUnusable(Unavailable):
    """The data folder can't be made or written."""

    reason = "FOLDER_UNUSABLE"

    def __init__(self, folder: Path, why: str) -> None:
        super().__init__(f"data: {folder} can't be used ({why}); make it writable, or name another by SLIPWAY_DATA")


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold the folder's lock until left; the system lets go of it when the process dies.

    Without it a second scheduler would take over what the first still works on: fenced, but in vain. Raises
    AlreadyRunning, FolderUnusable.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / "scheduler.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise FolderUnusable(folder, error.strerror or "no reason given") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise AlreadyRunning(folder) from error
        yield
    finally:
        os.close(descriptor)
