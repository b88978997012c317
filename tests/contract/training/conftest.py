from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.training_scheduler.adapters.memory import MemoryRuns
from services.training_scheduler.adapters.sql import MIGRATIONS, SqlRuns
from services.training_scheduler.ports import Runs
from slipway.clock import SystemClock
from slipway.events.connect import open_log
from slipway.events.outbox import Relay
from slipway.gen.slipway.training.v1 import events_pb2, resources_pb2
from slipway.sql import Database, Migrations

MemoryOrUrl = Callable[[Migrations], str | None]


@dataclass(frozen=True)
class Subject:
    """A store under test, and what it announced: (run, state), in order."""

    runs: Runs
    announced: Callable[[], Awaitable[list[tuple[str, str]]]]


@asynccontextmanager
async def _memory() -> AsyncIterator[Subject]:
    runs = MemoryRuns()

    async def announced() -> list[tuple[str, str]]:
        return [(run.id, run.state.value) for run in runs.announced]

    yield Subject(runs, announced)


@asynccontextmanager
async def _sql(url: str, folder: Path) -> AsyncIterator[Subject]:
    async with Database.open(url, MIGRATIONS) as database, open_log(f"sqlite:///{folder / 'log.db'}") as log:
        relay = Relay(database, log.publisher(), SystemClock())

        async def announced() -> list[tuple[str, str]]:
            while await relay.publish_some():
                pass
            found = []
            for record in await log.read("training.run.v1"):
                run = events_pb2.RunChanged.FromString(record.event.value).run
                assert record.event.key == run.id
                found.append((run.id, resources_pb2.RunState.Name(run.state).removeprefix("RUN_STATE_")))
            return found

        yield Subject(SqlRuns(database, relay.wake), announced)


@pytest.fixture
async def subject(memory_or_url: MemoryOrUrl, tmp_path: Path) -> AsyncIterator[Subject]:
    url = memory_or_url(MIGRATIONS)
    async with _sql(url, tmp_path) if url else _memory() as made:
        yield made
