"""The outbox's relay while Kafka and PostgreSQL are killed under it: all is published, and each key in its order."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy import MetaData

from slipway.clock import SystemClock
from slipway.errors import Kind, SlipwayError
from slipway.events import Backoff, Event, EventLog
from slipway.events.connect import open_log
from slipway.events.outbox import Outbox, Relay
from slipway.sql import Database
from slipway.supervisor import status

TOPIC, KEYS, AT_ONCE = "kept.facts.v1", 5, 50
METADATA = MetaData()
Outbox.table(METADATA)


class Servers:
    """A Kafka and a PostgreSQL of the test's own, which their supervisor starts again when they die."""

    def __init__(self, data: Path, addresses: dict[str, str]) -> None:
        self._data = data
        self.kafka = f"kafka://{addresses['SLIPWAY_KAFKA']}?timeout_s=2"
        self.postgres = addresses["SLIPWAY_POSTGRES"]

    def kill(self, name: str) -> None:
        psutil.Process(self._unit(name)["pid"]).kill()

    def is_back(self, name: str) -> bool:
        one = self._unit(name)
        return bool(one["restarts"] == 1 and one["state"] == "serving")

    def _unit(self, name: str) -> dict[str, Any]:
        backing = json.loads((self._data / "run" / "state.json").read_text())["backing"]
        return next(one for one in backing if one["name"] == name)


@pytest.fixture
def servers(tmp_path: Path, redis_url: str) -> Iterator[Servers]:
    named = {name: value for name, value in os.environ.items() if not name.startswith("SLIPWAY_")}
    command = [sys.executable, "-m", "slipway.stack", "up", "--json", "--fast", "--data", str(tmp_path / "stack")]
    try:
        done = subprocess.run(command, env=named | {"SLIPWAY_REDIS": redis_url}, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        yield Servers(tmp_path / "stack", json.loads(done.stdout)["servers"])
    finally:
        # Nothing of theirs is wanted any more: a broker takes seconds to stop as it should.
        status.stop(tmp_path / "stack", 0.0, lambda _: None)


class Facts:
    """Facts, numbered over the keys by turns, as many as are written; a transaction that failed is tried again."""

    def __init__(self, database: Database, relay: Relay) -> None:
        self._database = database
        self._relay = relay
        self.written = 0
        self.refused = 0
        self.enough = False

    async def write(self) -> None:
        while not self.enough:
            now, numbers = datetime.now(UTC), range(self.written, self.written + KEYS)
            events = [Event(f"{n}", TOPIC, f"k{n % KEYS}", "t", "/writer", now, b"v") for n in numbers]
            try:
                async with self._database.write() as connection:
                    await Outbox.add(connection, events)
            except SlipwayError as error:
                self.refused += 1
                # Its transaction may have been kept all the same; the facts wait under their ids then, or went on.
                if error.kind is not Kind.ALREADY_EXISTS:
                    await asyncio.sleep(0.05)
                    continue
            self.written += KEYS
            self._relay.wake()
            await asyncio.sleep(0.002)

    async def more(self) -> None:
        end = self.written + 4 * AT_ONCE
        await until(lambda: self.written >= end)

    async def waiting(self) -> int:
        async with self._database.read() as connection:
            return int((await connection.exec_driver_sql("SELECT count(*) FROM outbox")).scalar_one())


async def test_nothing_is_lost_nor_reordered_when_broker_and_database_are_killed(servers: Servers) -> None:
    async with (
        asyncio.timeout(90),
        Database.open(servers.postgres) as database,
        open_log(servers.kafka) as log,
        being_relayed(database, log) as facts,
    ):
        await facts.more()
        servers.kill("kafka")
        most = 0
        while not servers.is_back("kafka"):
            most = max(most, await facts.waiting())
        # The relay felt it, and the writer did not.
        assert most > AT_ONCE
        assert facts.refused == 0
        await facts.more()
        servers.kill("postgres")
        await until(lambda: servers.is_back("postgres"))
        assert facts.refused > 0
        await facts.more()
        facts.enough = True
        while await facts.waiting():
            await asyncio.sleep(0.05)
        seen = await all_of(log)
    for key in range(KEYS):
        assert seen[f"k{key}"] == [f"{n}" for n in range(key, facts.written, KEYS)]


@asynccontextmanager
async def being_relayed(database: Database, log: EventLog) -> AsyncIterator[Facts]:
    async with database.write() as connection:
        await connection.run_sync(METADATA.create_all)
    relay = Relay(database, log.publisher(), SystemClock(), limit=AT_ONCE, backoff=Backoff(limit_s=0.5))
    facts = Facts(database, relay)
    async with asyncio.TaskGroup() as tasks:
        relaying = tasks.create_task(relay.run())
        tasks.create_task(facts.write())
        yield facts
        relaying.cancel()


async def all_of(log: EventLog) -> dict[str, list[str]]:
    """By key the ids in the order in which a reader sees each for the first time."""
    seen: dict[str, dict[str, None]] = {}
    for place in await log.topics([TOPIC]):
        for record in await log.read(TOPIC, limit=place.count, partition=place.partition):
            seen.setdefault(record.event.key, {})[record.event.id] = None
    return {key: list(ids) for key, ids in seen.items()}


async def until(is_so: Callable[[], bool]) -> None:
    while not is_so():
        await asyncio.sleep(0.02)
