"""What /proc tells of processes: who they are across pid reuse, and which belong to a supervisor."""

from __future__ import annotations

import os
import signal
from pathlib import Path

MARK = "SLIPWAY_SUPERVISED"
"""Environment variable that marks each process of a unit, its descendants included: ``<data root>|<unit>``.

A process that overwrites its environment to rename itself (Redis does) is not found by it, and needs the tie of
``tether`` alone.
"""

_PROC = Path("/proc")


def started_ticks(pid: int) -> int | None:
    """When the process started, in clock ticks since boot; None when there is no such process (or a zombie).

    A pid with its start names one process for ever; a pid alone is reused.
    """
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # the name before it may hold spaces and parentheses
    return None if fields[0] in ("Z", "X") else int(fields[19])


def alive(pid: int, ticks: int) -> bool:
    """Whether the process that started at ``ticks`` still runs under ``pid``."""
    return started_ticks(pid) == ticks


def marked(data: Path, unit: str | None = None) -> list[int]:
    """Pids of the live processes of ``unit`` (None: of any unit) on this data root, never of this process."""
    entry = f"{MARK}={data}|{unit or ''}".encode()
    return [
        int(folder.name)
        for folder in _PROC.glob("[0-9]*")
        if int(folder.name) != os.getpid() and _carries(folder, entry, exactly=unit is not None)
    ]


def kill_marked(data: Path, unit: str | None = None) -> list[int]:
    """Send SIGKILL to what :func:`marked` finds; returns the pids that were there."""
    found = marked(data, unit)
    for pid in found:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    return found


def _carries(folder: Path, entry: bytes, *, exactly: bool) -> bool:
    try:
        variables = (folder / "environ").read_bytes().split(b"\0")
    except OSError:  # gone, or another user's
        return False
    return any(one == entry or (not exactly and one.startswith(entry)) for one in variables)
