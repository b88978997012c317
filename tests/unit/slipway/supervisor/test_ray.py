from __future__ import annotations

from pathlib import Path

import pytest

from slipway.supervisor.fleet import FLEET
from slipway.supervisor.ray import RayMisplaced, session_folder, token_file, worker_range


def test_workers_keep_off_our_ports():
    defaults = [port for one in FLEET.services for port in one.ports.values()]
    assert worker_range(defaults) == (10002, 19999)
    low, high = worker_range([*defaults, 15000])
    assert not any(low <= port <= high for port in [*defaults, 15000])
    with pytest.raises(RayMisplaced, match="--port"):
        worker_range(range(1, 65536, 100))


def test_the_token_is_private_and_stays(tmp_path):
    token = token_file(tmp_path)
    assert token.stat().st_mode & 0o777 == 0o600
    assert token_file(tmp_path).read_text() == token.read_text()


def test_a_long_temporary_folder_is_refused(monkeypatch):
    assert session_folder(Path("/a")) != session_folder(Path("/b"))
    monkeypatch.setattr("tempfile.gettempdir", lambda: "/" + "long" * 20)
    with pytest.raises(RayMisplaced, match="TMPDIR"):
        session_folder(Path("/a"))
