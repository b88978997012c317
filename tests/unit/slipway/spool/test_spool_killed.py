from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from slipway.spool import Spool

WRITER = """
import itertools, pathlib, sys
from slipway.spool import Spool

spool = Spool.open(pathlib.Path(sys.argv[1]), segment_bytes=20_000, limit_bytes=1 << 30, sync=sys.argv[2])
first = int(sys.argv[3])
for n in itertools.count(first, 10):
    spool.append([b"%d|" % m + bytes(m % 997) for m in range(n, n + 10)])
    print(n + 9, flush=True)
    if n % 70 == 0:
        batch = [*itertools.islice(spool.frames(spool.acknowledged), 5)]
        spool.acknowledge(batch[-1][0])
        print("acknowledged", batch[-1][1].split(b"|")[0].decode(), flush=True)
"""


@pytest.mark.parametrize(("sync", "lines"), [("always", 40), ("interval", 300)])
def test_a_killed_writer_loses_nothing_it_had_appended(tmp_path: Path, sync: str, lines: int) -> None:
    appended, acknowledged = -1, -1
    for _ in range(3):
        command = [sys.executable, "-c", WRITER, tmp_path, sync, str(appended + 1)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            printed = [child.stdout.readline() for _ in range(lines)]
            child.kill()
            printed += child.stdout
        for line in (line for line in printed if line.endswith("\n")):
            if line.startswith("acknowledged"):
                acknowledged = int(line.split()[1])
            else:
                appended = int(line)
        with Spool.open(tmp_path, segment_bytes=20_000, limit_bytes=1 << 30, sync="always") as spool:
            numbers = [int(payload.split(b"|")[0]) for _, payload in spool.frames(spool.acknowledged)]
            assert numbers == list(range(numbers[0], numbers[-1] + 1))
            assert numbers[-1] >= appended
            # A batch that was written, or an acknowledgement stored, just before the kill goes unprinted.
            assert numbers[0] > acknowledged
            assert spool.corrupt_bytes == 0
            appended, acknowledged = numbers[-1], numbers[0] - 1
