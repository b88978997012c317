"""State, outbox, relay, log, consumer, inbox, effect: once each, whoever is killed on the way."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest
from sqlalchemy import Column, MetaData, Table, Text, insert, select

from slipway.clock import SystemClock
from slipway.events import Event, EventLog, Record, consume
from slipway.events.inbox import Inbox
from slipway.events.outbox import Outbox, Relay
from slipway.sql import Database

MakeEvent = Callable[..., Event]
CHILD = Path(__file__).with_name("child.py")
PATIENCE_S = 30.0

METADATA = MetaData()
Outbox.table(METADATA)
Inbox.table(METADATA)
EFFECTS = Table("effects", METADATA, Column("event_id", Text))


@pytest.fixture
def database_url(make_database: Callable[[], str]) -> str:
    return make_database()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with Database.open(database_url) as database:
        async with database.write() as connection:
            await connection.run_sync(METADATA.create_all)
        yield database


async def effects(database: Database) -> list[str]:
    async with database.read() as connection:
        return list((await connection.execute(select(EFFECTS.c.event_id))).scalars())


async def until_effects(database: Database, log: EventLog, topic: str, wanted: int) -> None:
    """Consume through the inbox until ``wanted`` effects are kept."""
    ended = asyncio.Event()

    async def handle(records: Sequence[Record]) -> None:
        async with database.write() as connection:
            fresh = await Inbox.claim(connection, "g", [record.event.id for record in records])
            rows = [{"event_id": record.event.id} for record in records if record.event.id in fresh]
            if rows:
                await connection.execute(insert(EFFECTS), rows)
        if len(await effects(database)) >= wanted:
            ended.set()

    async with log.consumer([topic], "g") as consumer:
        loop = asyncio.create_task(consume(consumer, handle, clock=SystemClock(), limit=3))
        await asyncio.wait_for(ended.wait(), PATIENCE_S)
        loop.cancel()
        with pytest.raises(asyncio.CancelledError):
            await loop


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_relay_killed_around_the_publish_leaves_each_effect_once(
    when: str, *, url: str, database_url: str, log: EventLog, database: Database, make_event: MakeEvent
) -> None:
    events = [make_event(str(number)) for number in range(7)]
    async with database.write() as connection:
        await Outbox.add(connection, events)
    for _ in range(2):
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(CHILD), "relay_then_die", url, database_url, when
        )
        assert await process.wait() == -signal.SIGKILL
    relay = Relay(database, log.publisher(), SystemClock())
    assert await relay.publish_some() == 7
    assert await relay.publish_some() == 0
    await until_effects(database, log, events[0].topic, 7)
    assert await effects(database) == [event.id for event in events]


async def test_a_running_relay_is_woken_and_keeps_the_order(
    log: EventLog, database: Database, make_event: MakeEvent
) -> None:
    events = [make_event(str(number)) for number in range(20)]
    relay = Relay(database, log.publisher(), SystemClock(), limit=3, idle_s=3600)
    running = asyncio.create_task(relay.run())
    async with log.consumer([events[0].topic], "g") as consumer:
        seen: list[str] = []
        for start in (0, 10):
            async with database.write() as connection:
                await Outbox.add(connection, events[start : start + 10])
            relay.wake()
            while len(seen) < start + 10:
                records = await consumer.poll(100, PATIENCE_S)
                assert records
                seen.extend(record.event.id for record in records)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert seen == [event.id for event in events]
