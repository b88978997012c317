"""However crashes fall between outbox, log, inbox and effect: every effect is there once, in order."""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, Table, Text, insert, select

from slipway.clock import ManualClock
from slipway.events import Event
from slipway.events.inbox import Inbox
from slipway.events.outbox import Outbox, Relay
from slipway.sql import Database, file_url

METADATA = MetaData()
Outbox.table(METADATA)
Inbox.table(METADATA)
EFFECTS = Table("effects", METADATA, Column("position", Integer, primary_key=True), Column("event_id", Text))


class Crash(BaseException):
    """A process that ends here."""


class Act(enum.Enum):
    WRITE = enum.auto()
    WRITE_CRASHING_BEFORE_COMMIT = enum.auto()
    RELAY = enum.auto()
    RELAY_CRASHING_BEFORE_PUBLISH = enum.auto()
    RELAY_CRASHING_AFTER_PUBLISH = enum.auto()
    CONSUME = enum.auto()
    CONSUME_CRASHING_BEFORE_EFFECT_COMMIT = enum.auto()
    CONSUME_CRASHING_BEFORE_OFFSET_COMMIT = enum.auto()


class World:
    """A database, a log that keeps every repetition, as a broker does, and one group's offset in it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._log: list[Event] = []
        self._offset = 0
        self._crash_before_publish = False
        self._crash_after_publish = False
        self.written: list[str] = []

    async def publish(self, events: Sequence[Event]) -> None:
        if self._crash_before_publish:
            raise Crash
        self._log.extend(events)
        if self._crash_after_publish:
            raise Crash

    async def write(self, *, crash: bool) -> None:
        names = [f"{len(self.written)}", f"{len(self.written) + 1}"]
        now = datetime(2013, 1, 1, tzinfo=UTC)
        async with self._database.write() as connection:
            await Outbox.add(connection, [Event(name, "t.v1", "k", "t", "/s", now, b"") for name in names])
            if crash:
                raise Crash
        self.written.extend(names)

    async def relay(self, *, before: bool = False, after: bool = False) -> int:
        self._crash_before_publish, self._crash_after_publish = before, after
        return await Relay(self._database, self, ManualClock(), limit=3).publish_some()

    async def consume(self, *, in_effect: bool = False, in_commit: bool = False) -> int:
        records = self._log[self._offset : self._offset + 3]
        async with self._database.write() as connection:
            fresh = await Inbox.claim(connection, "g", [event.id for event in records])
            for event in records:
                if event.id in fresh:
                    fresh.remove(event.id)
                    await connection.execute(insert(EFFECTS).values(event_id=event.id))
            if in_effect:
                raise Crash
        if in_commit:
            raise Crash
        self._offset += len(records)
        return len(records)

    async def act(self, act: Act) -> None:
        acts: dict[Act, Callable[[], Awaitable[object]]] = {
            Act.WRITE: lambda: self.write(crash=False),
            Act.WRITE_CRASHING_BEFORE_COMMIT: lambda: self.write(crash=True),
            Act.RELAY: self.relay,
            Act.RELAY_CRASHING_BEFORE_PUBLISH: lambda: self.relay(before=True),
            Act.RELAY_CRASHING_AFTER_PUBLISH: lambda: self.relay(after=True),
            Act.CONSUME: self.consume,
            Act.CONSUME_CRASHING_BEFORE_EFFECT_COMMIT: lambda: self.consume(in_effect=True),
            Act.CONSUME_CRASHING_BEFORE_OFFSET_COMMIT: lambda: self.consume(in_commit=True),
        }
        try:
            await acts[act]()
        except Crash:
            return

    async def effects(self) -> list[str]:
        async with self._database.read() as connection:
            query = select(EFFECTS.c.event_id).order_by(EFFECTS.c.position)
            return list((await connection.execute(query)).scalars())


async def _play(folder: Path, acts: Sequence[Act]) -> None:
    async with Database.open(file_url(folder / "state.db")) as database:
        async with database.write() as connection:
            await connection.run_sync(METADATA.create_all)
        world = World(database)
        for act in acts:
            await world.act(act)
            effects = await world.effects()
            assert effects == world.written[: len(effects)]
        while await world.relay():
            pass
        while await world.consume():
            pass
        assert await world.effects() == world.written


@settings(max_examples=60, deadline=None)
@given(acts=st.lists(st.sampled_from(Act), max_size=25))
def test_any_interleaving_of_crashes_leaves_each_effect_once(
    tmp_path_factory: pytest.TempPathFactory, acts: list[Act]
) -> None:
    asyncio.run(_play(tmp_path_factory.mktemp("world"), acts))
