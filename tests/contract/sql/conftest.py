"""The databases that the suite runs on. A new one adds its name here and a place for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.sql import file_url


@pytest.fixture(params=["sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of its own; child processes open it by the same URL."""
    assert request.param == "sqlite"
    return file_url(tmp_path / "deep" / "er" / "state.db")
