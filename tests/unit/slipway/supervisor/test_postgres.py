"""The lock file of a PostgreSQL that is gone, against real processes in every state that its pid may be in."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from slipway.supervisor.postgres import drop_stale_lock


@pytest.fixture
def process() -> Iterator[Callable[[Path], subprocess.Popen[bytes]]]:
    """Starts processes in a folder, which read until their input ends."""
    started: list[subprocess.Popen[bytes]] = []

    def start(folder: Path) -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen(["cat"], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL))
        return started[-1]

    yield start
    for one in started:
        one.communicate()


def lock_of(folder: Path, text: str) -> Path:
    lock = folder / "data" / "postmaster.pid"
    lock.parent.mkdir()
    lock.write_text(text)
    return lock


def test_the_lock_of_a_server_that_is_a_zombie_goes(tmp_path, process):
    lock = lock_of(tmp_path, "")
    gone = process(lock.parent)
    lock.write_text(f"{gone.pid}\n{lock.parent}\n")
    gone.kill()
    os.waitid(os.P_PID, gone.pid, os.WEXITED | os.WNOWAIT)
    drop_stale_lock(lock.parent)
    assert not lock.exists()


def test_the_lock_with_a_pid_that_another_program_has_since_goes(tmp_path, process):
    lock = lock_of(tmp_path, f"{process(tmp_path).pid}\n")
    drop_stale_lock(lock.parent)
    assert not lock.exists()


def test_the_lock_of_a_server_that_runs_stays(tmp_path, process):
    lock = lock_of(tmp_path, "")
    lock.write_text(f"{process(lock.parent).pid}\n")
    linked = tmp_path / "linked"
    linked.symlink_to(lock.parent)
    drop_stale_lock(linked)
    assert lock.exists()


def test_a_lock_that_names_no_process_is_left_to_the_server(tmp_path):
    lock = lock_of(tmp_path, "no number\n")
    drop_stale_lock(lock.parent)
    assert lock.exists()


def test_where_there_is_no_lock_there_is_nothing_to_do(tmp_path):
    drop_stale_lock(tmp_path)
    assert not any(tmp_path.iterdir())
