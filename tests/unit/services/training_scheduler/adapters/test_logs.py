"""What steps print and log goes to their own files, and is read back in whole lines."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import pytest

from services.training_scheduler.adapters.capture import captured, routing
from services.training_scheduler.adapters.log_files import FileLogs


def test_each_thread_writes_to_its_own_file_and_others_to_the_process(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    both = threading.Barrier(2)

    def step(name: str) -> None:
        with captured(tmp_path / "run" / f"{name}.1.log"):
            both.wait(10)
            print("printed by", name)
            logging.getLogger("wf").info("logged by %s", name, extra={"facts": {"rows": 3}})

    with routing():
        threads = [threading.Thread(target=step, args=(name,)) for name in ("a", "b")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        print("the process's own")
    assert capsys.readouterr().out == "the process's own\n"
    for name in ("a", "b"):
        printed, logged = (tmp_path / "run" / f"{name}.1.log").read_text().splitlines()
        assert printed == f"printed by {name}"
        assert logged.endswith(f" INFO    wf: logged by {name} rows=3")


async def test_a_log_is_read_in_whole_lines_from_where_the_last_read_ended(tmp_path: Path) -> None:
    logs = FileLogs(tmp_path)
    assert await logs.read("run", "a", 1, 0, last=True) == ([], 0)
    path = logs.path("run", "a", 1)
    path.parent.mkdir()
    path.write_bytes(b"one\n\ntwo\r\nthr")
    assert await logs.read("run", "a", 1, 0, last=False) == (["one", "", "two"], 10)
    assert await logs.read("run", "a", 1, 10, last=False) == ([], 10)
    assert await logs.read("run", "a", 1, 10, last=True) == (["thr"], 13)


async def test_a_line_without_end_comes_in_pieces_and_none_of_it_is_lost(tmp_path: Path) -> None:
    logs = FileLogs(tmp_path)
    path = logs.path("run", "a", 1)
    path.parent.mkdir()
    path.write_bytes(b"x" * 200_000 + b"\nend\n")
    got, offset = "", 0
    while True:
        lines, end = await logs.read("run", "a", 1, offset, last=True)
        if not lines:
            break
        got, offset = got + "|".join(lines), end
    assert got.replace("|", "") == "x" * 200_000 + "end"
