from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.inference_gateway.adapters.worker_priority import can_come_back, stand_behind, stand_beside

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


def priorities(pid: int) -> list[int]:
    return [os.getpriority(os.PRIO_PROCESS, int(thread.name)) for thread in Path(f"/proc/{pid}/task").iterdir()]


def test_all_threads_of_a_process_come_back_from_behind(child: subprocess.Popen[str]) -> None:
    own = os.getpriority(os.PRIO_PROCESS, 0)
    stand_behind(child.pid)
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write("\n")
    child.stdin.flush()
    child.stdout.readline()
    behind = priorities(child.pid)
    assert len(behind) == 4
    assert min(behind) > own or own >= 19
    if can_come_back():
        stand_beside(child.pid)
        assert priorities(child.pid) == [own] * 4
    else:
        with pytest.raises(PermissionError):
            stand_beside(child.pid)


def test_who_is_gone_has_no_priority(child: subprocess.Popen[str]) -> None:
    child.kill()
    child.wait()
    stand_behind(child.pid)
    stand_beside(child.pid)
