"""The adapters that the suite runs on. A new one adds its name here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.monitor.adapters.sql import MIGRATIONS, SqlWindows
from services.monitor.ports import Windows
from slipway.sql import Database, file_url, migrate


@pytest.fixture(params=["sqlite"])
async def windows(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Windows]:
    assert request.param == "sqlite"
    url = file_url(tmp_path / "monitor.db")
    migrate(url, MIGRATIONS)
    async with Database.open(url, MIGRATIONS) as database:
        yield SqlWindows(database)
