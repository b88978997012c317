"""Where a worker stands among the machine's processes: last while it loads, beside the others once it answers."""

from __future__ import annotations

import asyncio
import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_BEHIND = 10
"""Nicer than the gateway by so much: a tenth of its share where both want a core."""
_LAST_S = 3.0
"""So long a worker gets only what nobody else wants; where that is nothing, it would never come up."""
_CAP_SYS_NICE = 23
_LOWEST = 20


def can_come_back() -> bool:
    """Whether this process may undo what it did to the priority of one of its own; else it must not begin.

    Linux lets anybody be nicer; less nice only with CAP_SYS_NICE, or as far as RLIMIT_NICE allows.
    """
    allowed = _LOWEST - resource.getrlimit(resource.RLIMIT_NICE)[0]
    return allowed <= os.getpriority(os.PRIO_PROCESS, 0) or bool(_capabilities() >> _CAP_SYS_NICE & 1)


@contextmanager
def behind(pid: int, *, apart: bool = True) -> Iterator[None]:
    """Let the process stand last in the block, with the threads that it has or starts, then beside the others.

    Where it does not stand ``apart`` it sees all cores, as what counts them must. Where it could not come back, it
    stays as it is.
    """
    if not can_come_back():
        yield
        return
    stand_last(pid, apart=apart)
    moving_up = asyncio.get_running_loop().call_later(_LAST_S, stand_behind, pid)
    try:
        yield
    finally:
        moving_up.cancel()
        stand_beside(pid)


def stand_last(pid: int, *, apart: bool = True) -> None:
    """Give the process what nobody else wants, of one core: whoever wakes up on it takes it at once, or goes elsewhere.

    Not at once where the kernel finishes a page or a file first; on all cores, nobody could go elsewhere.
    """
    cores = sorted(os.sched_getaffinity(0))
    nice = os.getpriority(os.PRIO_PROCESS, 0) + _BEHIND

    def last(thread: int) -> None:
        os.setpriority(os.PRIO_PROCESS, thread, nice)
        os.sched_setscheduler(thread, os.SCHED_IDLE, os.sched_param(0))
        if apart:
            # Several that load at once share the later half of the cores.
            os.sched_setaffinity(thread, {cores[-1 - pid % max(1, len(cores) // 2)]})

    _each_thread(pid, last)


def stand_behind(pid: int) -> None:
    """Give all of the process's threads a tenth of what others get."""
    _each_thread(pid, _wait_turns)


def stand_beside(pid: int) -> None:
    """Give all of the process's threads this one's priority again."""
    own = os.getpriority(os.PRIO_PROCESS, 0)

    def beside(thread: int) -> None:
        _wait_turns(thread)
        os.setpriority(os.PRIO_PROCESS, thread, own)

    _each_thread(pid, beside)


def _wait_turns(thread: int) -> None:
    os.sched_setscheduler(thread, os.SCHED_OTHER, os.sched_param(0))
    os.sched_setaffinity(thread, os.sched_getaffinity(0))


def _each_thread(pid: int, do: Callable[[int], None]) -> None:
    with suppress(FileNotFoundError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with suppress(ProcessLookupError):
                do(int(thread.name))


def _capabilities() -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next((int(line.split()[1], 16) for line in lines if line.startswith("CapEff:")), 0)
