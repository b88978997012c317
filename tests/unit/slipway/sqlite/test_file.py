from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from slipway import sqlite
from slipway.sqlite import file as sqlite_file


def test_a_prepared_file_keeps_what_is_committed_through_a_power_cut(tmp_path: Path) -> None:
    file = tmp_path / "a" / "b" / "x.db"
    sqlite.prepare(file)
    connection = sqlite.connect(file)
    asked = {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")}
    connection.close()
    assert asked == {"journal_mode": "wal", "synchronous": 2}


def test_those_who_meet_on_a_new_file_wait_for_each_other(tmp_path: Path) -> None:
    meet = Barrier(4, timeout=10)

    def prepare_all(_member: int) -> None:
        for number in range(200):
            meet.wait()
            sqlite.prepare(tmp_path / f"{number}.db")

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(prepare_all, range(4))) == [None] * 4


def test_a_file_that_stays_locked_is_busy_in_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_file, "BUSY_TIMEOUT_S", 0.0)
    other = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite.DatabaseBusy):
        sqlite.prepare(tmp_path / "x.db")
    other.close()
