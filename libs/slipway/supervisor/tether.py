"""Becomes the command given to it, tied to its parent's life: ``python tether.py PARENT_PID COMMAND...``.

A step between fork and exec, in a process of its own, because code between the two in a process with gRPC's
threads can deadlock. The tie survives exec: when the supervisor dies, however it dies, the kernel kills.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Tie, check that the parent did not die before the tie held, exec."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
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


if __name__ == "__main__":
    main()
