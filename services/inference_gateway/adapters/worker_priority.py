"""Where a worker stands among the machine's processes: behind them while it loads, beside them once it answers."""

from __future__ import annotations

import os
import resource
from contextlib import suppress
from pathlib import Path

_BEHIND = 10
"""Nicer than the gateway by so much: a tenth of its share where both want a core."""
_CAP_SYS_NICE = 23
_LOWEST = 20


def can_come_back() -> bool:
    """Whether this process may undo what it did to the priority of one of its own; else it must not begin.

    Linux lets anybody be nicer; less nice only with CAP_SYS_NICE, or as far as RLIMIT_NICE allows.
    """
    allowed = _LOWEST - resource.getrlimit(resource.RLIMIT_NICE)[0]
    return allowed <= os.getpriority(os.PRIO_PROCESS, 0) or bool(_capabilities() >> _CAP_SYS_NICE & 1)


def stand_behind(pid: int) -> None:
    """Give the process, which has one thread yet, what others leave."""
    with suppress(ProcessLookupError):
        os.setpriority(os.PRIO_PROCESS, pid, os.getpriority(os.PRIO_PROCESS, 0) + _BEHIND)


def stand_beside(pid: int) -> None:
    """Give all of the process's threads this one's priority again."""
    own = os.getpriority(os.PRIO_PROCESS, 0)
    with suppress(FileNotFoundError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with suppress(ProcessLookupError):
                os.setpriority(os.PRIO_PROCESS, int(thread.name), own)


def _capabilities() -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next((int(line.split()[1], 16) for line in lines if line.startswith("CapEff:")), 0)
