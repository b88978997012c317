"""What armed failpoints do."""

from __future__ import annotations

import errno
import os
import signal
import threading

from slipway.errors import Exhausted, SlipwayError, Unavailable
from slipway.failpoints.names import on_disk
from slipway.failpoints.spec import Action, Entry

REASON = "FAILPOINT"


class Away(Unavailable):
    """What the place needs is away, as the failpoint has it."""

    reason = REASON


class Full(Exhausted):
    """What the place needs is full, as the failpoint has it."""

    reason = REASON


class Broken(SlipwayError):
    """The place is at fault, as the failpoint has it."""

    reason = REASON


def act(entry: Entry) -> None:
    """Raise, stop or end, all but delaying."""
    if entry.action is Action.KILL:
        _signal(signal.SIGKILL)
    elif entry.action is Action.STOP:
        _signal(signal.SIGSTOP)
    elif entry.action is Action.ERROR:
        raise _error(entry)
    elif entry.action is Action.DISK_FULL:
        raise OSError(errno.ENOSPC, _told(entry)) if on_disk(entry.name) else Full(_told(entry))


def _error(entry: Entry) -> Exception:
    if entry.internal:
        return Broken(_told(entry))
    return OSError(errno.EIO, _told(entry)) if on_disk(entry.name) else Away(_told(entry))


def _told(entry: Entry) -> str:
    return f"the failpoint {entry.name} is armed to fail here; disarm it to go on"


def _signal(number: signal.Signals) -> None:
    # To this very thread, which takes it before its next line; the process's others follow at once.
    signal.pthread_kill(threading.get_ident(), number)
    while number == signal.SIGKILL:
        os.kill(os.getpid(), number)
