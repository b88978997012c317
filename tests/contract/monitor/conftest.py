"""The adapters that the suite runs on. A new one adds its name here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from services.monitor.adapters.dead_letters import LogDeadLetters
from services.monitor.adapters.sql import GROUP, MIGRATIONS, SqlWindows
from services.monitor.api.consumer import LABELS, PREDICTIONS
from services.monitor.ports import DeadLetters, Windows
from slipway.events import EventLog, dead_letter_topic
from slipway.events.connect import open_log
from slipway.sql import Database, Migrations


@pytest.fixture
async def windows(make_database: Callable[[Migrations], str]) -> AsyncIterator[Windows]:
    async with Database.open(make_database(MIGRATIONS), MIGRATIONS) as database:
        yield SqlWindows(database)


@pytest.fixture(params=["sqlite", "kafka"])
async def log(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[EventLog]:
    file = f"sqlite:///{tmp_path / 'log.db'}"
    async with open_log(request.getfixturevalue("kafka_url") if request.param == "kafka" else file) as log:
        yield log


@pytest.fixture
def letters(log: EventLog) -> DeadLetters:
    return LogDeadLetters(log, *(dead_letter_topic(topic, GROUP) for topic in (PREDICTIONS, LABELS)))
