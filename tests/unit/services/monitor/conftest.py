from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from services.monitor.adapters.sql import MIGRATIONS, SqlWindows
from services.monitor.domain.label import LabelTally
from slipway.sql import Database, file_url, migrate


@dataclass
class SeenMeters:
    """Meters that keep what they were told."""

    predictions: int = 0
    labels: LabelTally = field(default_factory=LabelTally)
    dead_letters: int = 0
    lags: list[int] = field(default_factory=list)

    def counted(self, predictions: int) -> None:
        self.predictions += predictions

    def labelled(self, tally: LabelTally) -> None:
        self.labels += tally

    def dead_lettered(self) -> None:
        self.dead_letters += 1

    def lag(self, events: int) -> None:
        self.lags.append(events)


@pytest.fixture
def meters() -> SeenMeters:
    return SeenMeters()


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    url = file_url(tmp_path / "monitor.db")
    migrate(url, MIGRATIONS)
    async with Database.open(url, MIGRATIONS) as database:
        yield database


@pytest.fixture
def windows(database: Database) -> SqlWindows:
    return SqlWindows(database)
