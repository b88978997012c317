"""One process at a time."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from slipway.spool.errors import SpoolLocked


class Lock:
    """The folder's lock, held from construction to :meth:`close` or the process's death.

    The file holds the holder's process id, for the error that another one gets.
    """

    def __init__(self, root: Path) -> None:
        self._fd = os.open(root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._fd, 20, 0).decode("ascii", errors="replace").strip()
            os.close(self._fd)
            raise SpoolLocked(str(root), holder or "unknown") from None
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)

    def close(self) -> None:
        """Let go."""
        os.close(self._fd)
