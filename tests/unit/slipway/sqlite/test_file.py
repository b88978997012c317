from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from slipway import sqlite


def test_a_prepared_file_keeps_what_is_committed_through_a_power_cut(tmp_path: Path) -> None:
    file = tmp_path / "a" / "b" / "x.db"
    sqlite.prepare(file)
    connection = sqlite.connect(file)
    asked = {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")}
    connection.close()
    assert asked == {"journal_mode": "wal", "synchronous": 2}


def test_many_may_prepare_one_file_at_once(tmp_path: Path) -> None:
    for number in range(10):
        file = tmp_path / f"{number}.db"
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(sqlite.prepare, [file] * 8)) == [None] * 8
