from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from slipway.events.sqlite import SqliteEventLog


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "events" / "log.db"


@pytest.fixture
async def log(file: Path) -> AsyncIterator[SqliteEventLog]:
    async with SqliteEventLog.open(file) as log:
        yield log
