"""One supervisor a data root: a lock that the kernel frees however its holder ends."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from slipway.errors import Kind, SlipwayError
from slipway.supervisor.proc import started_ticks

# A reader holds a shared lock for microseconds; a supervisor that starts just then tries again.
_ATTEMPTS, _PAUSE_S = 20, 0.05


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that holds the lock; ``ticks`` is its start, see :func:`proc.started_ticks`."""

    pid: int
    ticks: int


class AlreadyUp(SlipwayError):
    """Another supervisor runs on this data root."""

    kind = Kind.ALREADY_EXISTS
    reason = "ALREADY_UP"


def lock_path(data: Path) -> Path:
    """The lock file; it stays when the lock is free, for removing it would let two hold it."""
    return data / "run" / "supervisor.lock"


@contextmanager
def hold(data: Path) -> Iterator[Holder]:
    """Hold the lock of ``data``, whose ``run`` folder is made. Raises :class:`AlreadyUp`."""
    path = lock_path(data)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with path.open("a+", encoding="utf-8") as file:
        if not _acquire(file.fileno()):
            raise AlreadyUp(f"a supervisor already runs on {data}; see it with: slipway status")
        me = Holder(os.getpid(), started_ticks(os.getpid()) or 0)
        file.truncate(0)
        file.write(json.dumps([me.pid, me.ticks]))
        file.flush()
        yield me


def holder(data: Path) -> Holder | None:
    """Who holds the lock now; None when nobody does. Waits a moment for a holder that is just starting."""
    for _ in range(_ATTEMPTS):
        if not _held(data):
            return None
        with suppress(OSError, ValueError):
            pid, ticks = json.loads(lock_path(data).read_text(encoding="utf-8"))
            if started_ticks(pid) == ticks:
                return Holder(pid, ticks)
        time.sleep(_PAUSE_S)
    return None


def _acquire(descriptor: int) -> bool:
    for _ in range(_ATTEMPTS):
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        time.sleep(_PAUSE_S)
    return False


def _held(data: Path) -> bool:
    try:
        with lock_path(data).open("rb") as file:
            fcntl.flock(file.fileno(), fcntl.LOCK_SH | fcntl.LOCK_NB)
            return False
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
