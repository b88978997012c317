"""Becomes the command given to it, tied to its parent's life: ``python tether.py PARENT_PID [OWNER] COMMAND...``.

The command's program is an absolute path. ``OWNER`` is empty, or ``UID:GID:FOLDER``: who to become first, and a
folder to hold open as descriptor 9.

A step between fork and exec, in a process of its own, because code between the two in a process with gRPC's
threads can deadlock. The tie survives exec: when the supervisor dies, however it dies, the kernel kills.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
_HELD = 9  # spec.HELD


def main() -> None:
    """Tie, check that the parent did not die before the tie held, exec."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    owner = "" if command[0].startswith("/") else command.pop(0)
    if owner:
        _become(*owner.split(":", 2))  # before the tie, which the kernel forgets when credentials change
    if sys.platform == "linux":
        if ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL)) != 0:
            sys.exit("tether: prctl refused to tie this process to its parent")
        if os.getppid() != parent:
            sys.exit("tether: the supervisor is gone")
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and exec would hand that on
    try:
        os.execv(command[0], command)  # noqa: S606
    except OSError as error:
        sys.exit(f"tether: can't run {command[0]}: {error.strerror}")


def _become(uid: str, gid: str, folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    os.dup2(descriptor, _HELD, inheritable=True)
    os.chdir("/")
    os.setgroups([])
    os.setgid(int(gid))
    os.setuid(int(uid))


if __name__ == "__main__":
    main()
