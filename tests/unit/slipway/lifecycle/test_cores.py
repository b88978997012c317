from __future__ import annotations

import os
from pathlib import Path

import pytest

from slipway.lifecycle.cores import cores

ALL = float(len(os.sched_getaffinity(0)))


def machine(root: Path, **files: str) -> Path:
    for name, text in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


def test_a_machine_without_control_groups_has_the_cores_of_the_affinity(tmp_path: Path) -> None:
    assert cores(tmp_path) == ALL


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param({"sys/fs/cgroup/cpu.max": "50000 100000\n"}, 0.5, id="a container's"),
        pytest.param({"sys/fs/cgroup/cpu.max": "max 100000\n"}, ALL, id="no limit"),
        pytest.param({"sys/fs/cgroup/cpu.max": "junk"}, ALL, id="junk"),
        pytest.param(
            {"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/cpu.max": "max 100000\n"}, ALL, id="its own: none"
        ),
        pytest.param(
            {
                "proc/self/cgroup": "0::/a/b\n",
                "sys/fs/cgroup/a/cpu.max": "25000 100000\n",
                "sys/fs/cgroup/a/b/cpu.max": "90000 100000\n",
            },
            0.25,
            id="the tightest on the way up",
        ),
        pytest.param(
            {"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "75000\n", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n"},
            0.75,
            id="version 1",
        ),
        pytest.param(
            {"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n"},
            ALL,
            id="version 1 without",
        ),
    ],
)
def test_a_quota_bounds_them(tmp_path: Path, files: dict[str, str], expected: float) -> None:
    assert cores(machine(tmp_path, **files)) == expected
