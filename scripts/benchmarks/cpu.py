"""CPU time of processes and of all that they started, from /proc."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def seconds(roots: Mapping[str, int]) -> dict[str, float]:
    """CPU seconds so far, of user and system, by role: a process's own, and under ``ROLE's children`` theirs.

    Of children that ended and were waited for, their time is in it; in steps of a clock tick, 10 ms as a rule.
    """
    parents, used = _processes()
    found = {}
    for role, root in roots.items():
        found[role] = used.get(root, 0.0)
        below = [pid for pid in used if pid != root and _under(pid, root, parents)]
        if below:
            found[f"{role}'s children"] = sum(used[pid] for pid in below)
    return found


def _processes() -> tuple[dict[int, int], dict[int, float]]:
    parents, used = {}, {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            text = (entry / "stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended meanwhile
        fields = text.rpartition(")")[2].split()
        parents[int(entry.name)] = int(fields[1])
        used[int(entry.name)] = sum(int(one) for one in fields[11:15]) / _TICKS
    return parents, used


def _under(pid: int, root: int, parents: Mapping[int, int]) -> bool:
    while pid in parents and pid != root:
        pid = parents[pid]
    return pid == root
