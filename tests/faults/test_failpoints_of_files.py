"""kill -9, and a full disk, at every failpoint of what keeps a file: the old content or the new, whole."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from slipway.failpoints import NAMES

FILES = ("durable.", "download.", "supervisor.", "snapshot.", "disabled.", "artifacts.", "spool.", "values.")


def test_whichever_side_of_a_step_it_died_on_a_file_is_whole_and_the_next_write_is_taken() -> None:
    command = [sys.executable, str(Path(__file__).with_name("keepers.py"))]
    told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    cases = [json.loads(line) for line in told.stdout.splitlines()]
    assert told.returncode == 0, told.stderr
    assert [one for one in cases if not (one["killed"] and one["told"] and one["mended"])] == []
    assert [one for one in cases if one["read"] != one["expected"]] == []
    assert {one["failpoint"] for one in cases} == {name for name in NAMES if name.startswith(FILES)}
