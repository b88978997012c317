from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.inference_gateway.adapters.worker_priority import (
    behind,
    can_come_back,
    stand_behind,
    stand_beside,
    stand_last,
)

WITH_THREADS = """
import sys, threading
sys.stdin.readline()
for _ in range(3):
    threading.Thread(target=threading.Event().wait, daemon=True).start()
print("threads", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def child() -> Iterator[subprocess.Popen[str]]:
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", WITH_THREADS], stdin=pipe, stdout=pipe, text=True) as process:
        yield process
        process.kill()


def stand(pid: int) -> list[tuple[int, int]]:
    """How each thread is scheduled, and its priority."""
    threads = [int(thread.name) for thread in Path(f"/proc/{pid}/task").iterdir()]
    return [(os.sched_getscheduler(one), os.getpriority(os.PRIO_PROCESS, one)) for one in threads]


def cores(pid: int) -> list[set[int]]:
    """Where each thread may run."""
    return [os.sched_getaffinity(int(thread.name)) for thread in Path(f"/proc/{pid}/task").iterdir()]


def start_threads(child: subprocess.Popen[str]) -> None:
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write("\n")
    child.stdin.flush()
    child.stdout.readline()


@pytest.mark.skipif(not can_come_back(), reason="nobody may be less nice here")
def test_all_threads_of_a_process_come_back(child: subprocess.Popen[str]) -> None:
    own = os.getpriority(os.PRIO_PROCESS, 0)
    lower = min(own + 10, 19)
    everywhere = os.sched_getaffinity(0)
    stand_last(child.pid)
    start_threads(child)
    assert stand(child.pid) == [(os.SCHED_IDLE, lower)] * 4
    assert {len(one) for one in cores(child.pid)} == {1}
    stand_behind(child.pid)
    assert stand(child.pid) == [(os.SCHED_OTHER, lower)] * 4
    assert cores(child.pid) == [everywhere] * 4
    stand_beside(child.pid)
    assert stand(child.pid) == [(os.SCHED_OTHER, own)] * 4


@pytest.mark.parametrize("apart", [True, False])
async def test_a_worker_that_loads_stands_last(child: subprocess.Popen[str], apart: bool) -> None:
    if not can_come_back():
        pytest.skip("nobody may be less nice here")
    own, everywhere = stand(child.pid), os.sched_getaffinity(0)
    with behind(child.pid, apart=apart):
        assert (cores(child.pid) == [everywhere]) is not (apart and len(everywhere) > 1)
        assert [policy for policy, _ in stand(child.pid)] == [os.SCHED_IDLE]
    assert stand(child.pid) == own
    assert cores(child.pid) == [everywhere]


def test_who_is_gone_has_no_priority(child: subprocess.Popen[str]) -> None:
    child.kill()
    child.wait()
    stand_last(child.pid)
    stand_behind(child.pid)
    stand_beside(child.pid)
