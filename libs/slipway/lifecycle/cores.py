"""How many cores this process may use: by its affinity, and by the quota of its container."""

from __future__ import annotations

import os
from pathlib import Path


def cores(root: Path = Path("/")) -> float:
    """The cores, or the part of one. ``root`` is where ``/proc`` and ``/sys`` are looked for."""
    return min([float(len(os.sched_getaffinity(0))), *_quotas(root)])


def _quotas(root: Path) -> list[float]:
    """What each control group from the process's own up to the root allows, in cores; of version 1, what the root does.

    In a container that is the container's own.
    """
    groups, own = root / "sys/fs/cgroup", _own(root)
    told = [_of_two(groups / group / "cpu.max") for group in (own, *own.parents)]
    told.append(_of_two(groups / "cpu/cpu.cfs_quota_us", groups / "cpu/cpu.cfs_period_us"))
    return [one for one in told if one is not None]


def _own(root: Path) -> Path:
    for line in _text(root / "proc/self/cgroup").splitlines():
        if line.startswith("0::/"):
            return Path(line.removeprefix("0::/"))
    return Path()


def _of_two(*files: Path) -> float | None:
    """The quota by the period that files hold, both in microseconds; None without a limit."""
    numbers = " ".join(map(_text, files)).split()
    if len(numbers) != 2 or not all(one.isdigit() for one in numbers) or not int(numbers[1]):
        return None  # "max", or -1
    return int(numbers[0]) / int(numbers[1])


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""
