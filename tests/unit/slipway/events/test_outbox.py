from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, MetaData

from slipway import sql
from slipway.clock import ManualClock
from slipway.errors import Unavailable
from slipway.events import Event, EventTooLarge, inbox, outbox
from slipway.events.inbox import Inbox
from slipway.events.outbox import Outbox, Relay
from slipway.sql import Database, file_url

MakeEvent = Callable[..., Event]


def _create(connection: Connection) -> None:
    op = Operations(MigrationContext.configure(connection))
    outbox.create(op)
    inbox.create(op)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """A database whose tables were made as a revision makes them."""
    async with Database.open(file_url(tmp_path / "state.db")) as database:
        async with database.write() as connection:
            await connection.run_sync(_create)
        yield database


class Sink:
    """A log that keeps what it takes and refuses as told."""

    def __init__(self, refusals: int = 0) -> None:
        self.taken: list[Event] = []
        self.refusals = refusals
        self.arrived = asyncio.Event()

    async def publish(self, events: Sequence[Event]) -> None:
        if self.refusals:
            self.refusals -= 1
            raise Unavailable("the log is away")
        self.taken.extend(events)
        self.arrived.set()


def test_metadata_and_revision_make_the_same_tables() -> None:
    metadata = MetaData()
    assert [Outbox.table(metadata).name, Inbox.table(metadata).name] == ["outbox", "inbox"]
    assert set(metadata.tables) == {"outbox", "inbox"}


async def test_events_leave_as_they_were_added(database: Database, make_event: MakeEvent) -> None:
    east = timezone(timedelta(hours=9))
    events = [
        make_event("1", headers={"traceparent": "00-1-2-03"}, value=bytes(range(256))),
        make_event("2", time=datetime(2013, 1, 1, tzinfo=east)),
    ]
    async with database.write() as connection:
        await Outbox.add(connection, events)
        await Outbox.add(connection, [])
    sink = Sink()
    assert await Relay(database, sink, ManualClock()).publish_some() == 2
    assert sink.taken == events


async def test_a_transaction_that_fails_leaves_no_event(database: Database, make_event: MakeEvent) -> None:
    async def fails() -> None:
        async with database.write() as connection:
            await Outbox.add(connection, [make_event()])
            raise LookupError

    with pytest.raises(LookupError):
        await fails()
    assert await Relay(database, Sink(), ManualClock()).publish_some() == 0


async def test_an_oversized_event_is_refused_where_it_is_added(database: Database, make_event: MakeEvent) -> None:
    async with database.write() as connection:
        with pytest.raises(EventTooLarge):
            await Outbox.add(connection, [make_event(value=bytes(100))], limit_bytes=99)


async def test_an_id_that_waits_already_is_a_conflict(database: Database, make_event: MakeEvent) -> None:
    async with database.write() as connection:
        await Outbox.add(connection, [make_event()])
        with pytest.raises(sql.Conflict):
            await Outbox.add(connection, [make_event()])


async def test_a_relay_waits_out_its_log_and_finds_events_without_being_woken(
    database: Database, make_event: MakeEvent
) -> None:
    clock, sink = ManualClock(), Sink(refusals=3)
    running = asyncio.create_task(Relay(database, sink, clock, limit=2).run())
    async with database.write() as connection:
        await Outbox.add(connection, [make_event(str(number)) for number in range(5)])
    while len(sink.taken) < 5:
        await asyncio.sleep(0)
        clock.advance(60)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert [event.id for event in sink.taken] == ["0", "1", "2", "3", "4"]


class Dozing(ManualClock):
    """Says when somebody sleeps."""

    def __init__(self) -> None:
        super().__init__()
        self.asleep = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.asleep.set()
        await super().sleep(seconds)


@pytest.mark.timeout(30)
@pytest.mark.parametrize("turns", range(8))
async def test_a_relay_that_is_stopped_just_as_it_is_woken_ends(database: Database, turns: int) -> None:
    clock = Dozing()
    relay = Relay(database, Sink(), clock)
    running = asyncio.create_task(relay.run())
    await clock.asleep.wait()
    relay.wake()
    for _ in range(turns):
        await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_an_inbox_claims_once_a_group(database: Database) -> None:
    async with database.write() as connection:
        assert await Inbox.claim(connection, "g", ["1", "2", "1"]) == {"1", "2"}
        assert await Inbox.claim(connection, "g", ["2", "3"]) == {"3"}
        assert await Inbox.claim(connection, "other", ["1"]) == {"1"}
        assert await Inbox.claim(connection, "g", []) == set()
        many = [f"id-{number}" for number in range(5000)]
        assert await Inbox.claim(connection, "g", many) == set(many)
        assert await Inbox.claim(connection, "g", [*many, "one more"]) == {"one more"}


async def test_an_inbox_forgets_by_age(database: Database) -> None:
    early, late = datetime(2013, 1, 1, tzinfo=UTC), datetime(2013, 2, 1, tzinfo=UTC)
    async with database.write() as connection:
        await Inbox.claim(connection, "g", ["old"], now=early)
        await Inbox.claim(connection, "g", ["new"], now=late)
        assert await Inbox.forget(connection, late) == 1
        assert await Inbox.claim(connection, "g", ["old", "new"]) == {"old"}
