from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from slipway.clock import ManualClock
from slipway.errors import InvalidInput
from slipway.events import Event
from slipway.events.connect import open_log
from slipway.events.sqlite import Address, Retention, SqliteEventLog, address
from slipway.sqlite import connect

MakeEvent = Callable[..., Event]
PATIENCE_S = 20.0
DAY_S = 86_400.0


async def counts(log: SqliteEventLog) -> dict[str, int]:
    return {one.name: one.count for one in await log.topics()}


async def until(log: SqliteEventLog, wanted: dict[str, int], clock: ManualClock) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while await counts(log) != wanted:
            clock.advance(3600)


async def test_every_topic_lets_go_what_is_too_old(log: SqliteEventLog, make_event: MakeEvent) -> None:
    clock = ManualClock(datetime.now(UTC))
    await log.publisher().publish([make_event("1"), make_event("2"), make_event("1", topic="other.v1")])
    retention = Retention(log, timedelta(days=7), clock)
    clock.advance(6 * DAY_S)
    assert await retention.trim() == 0
    clock.advance(2 * DAY_S)
    assert await retention.trim() == 3
    assert set((await counts(log)).values()) == {0}
    await log.publisher().publish([make_event("3")])
    assert (await log.read(make_event("3").topic))[0].offset == 2


async def test_it_goes_on_as_long_as_the_log_is_open(log: SqliteEventLog, make_event: MakeEvent) -> None:
    clock = ManualClock(datetime.now(UTC) + timedelta(days=8))
    topic = make_event("1").topic
    async with Retention(log, timedelta(days=7), clock).running():
        for number in range(3):
            await log.publisher().publish([make_event(str(number))])
            await until(log, {topic: 0}, clock)
    await log.publisher().publish([make_event("kept")])
    clock.advance(DAY_S)
    await asyncio.sleep(0)
    assert await counts(log) == {topic: 1}


async def test_a_log_that_is_busy_is_trimmed_later(
    log: SqliteEventLog,
    file: Path,
    make_event: MakeEvent,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = ManualClock(datetime.now(UTC) + timedelta(days=8))
    await log.publisher().publish([make_event("1")])
    await log._writer.run(lambda connection: connection.execute("PRAGMA busy_timeout=1").fetchall())
    async with Retention(log, timedelta(days=7), clock).running():
        holder = connect(file)
        holder.execute("BEGIN IMMEDIATE")
        async with asyncio.timeout(PATIENCE_S):
            while "old events stay for now" not in caplog.text:
                clock.advance(3600)
                await asyncio.sleep(0)
        holder.execute("ROLLBACK")
        holder.close()
        await until(log, {make_event("1").topic: 0}, clock)


def test_an_address_says_how_long() -> None:
    path = Path("/a/events.db")
    assert address.parse("sqlite:////a/events.db") == Address(path, timedelta(days=7))
    assert address.parse("sqlite:////a/events.db?retain_days=0.5") == Address(path, timedelta(hours=12))
    assert address.parse("sqlite:////a/events.db?retain_days=forever") == Address(path, None)


@pytest.mark.parametrize(
    "options",
    [
        *("retain_days=0", "retain_days=1e-9", "retain_days=-1", "retain_days=nan", "retain_days="),
        *("days=1", "retain_days=1&retain_days=2"),
    ],
)
async def test_an_address_that_says_it_wrongly_is_refused(tmp_path: Path, options: str) -> None:
    with pytest.raises(InvalidInput, match="retain_days") as caught:
        async with open_log(f"sqlite:///{tmp_path}/events.db?{options}"):
            pass
    assert caught.value.violations[0].field == "events.url"
    assert not list(tmp_path.iterdir())


async def test_a_log_that_keeps_all_is_opened_as_well(tmp_path: Path, make_event: MakeEvent) -> None:
    async with open_log(f"sqlite:///{tmp_path}/events.db?retain_days=forever") as log:
        await log.publisher().publish([make_event("1")])
    assert (tmp_path / "events.db").exists()
