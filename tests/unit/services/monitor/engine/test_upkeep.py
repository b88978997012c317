from __future__ import annotations

import asyncio
from datetime import timedelta

from sqlalchemy import text

from services.monitor.adapters.sql import SqlWindows
from services.monitor.engine.upkeep import Upkeep
from slipway.clock import ManualClock
from slipway.sql import Database


async def kept(database: Database) -> list[str]:
    async with database.read() as connection:
        return list((await connection.execute(text("SELECT event_id FROM inbox ORDER BY event_id"))).scalars())


async def test_only_ids_older_than_the_days_to_keep_are_forgotten(database: Database, windows: SqlWindows) -> None:
    clock = ManualClock()
    async with windows.write() as writer:
        await writer.claim(["old"], clock.now() - timedelta(days=2, microseconds=1))
        await writer.claim(["young"], clock.now() - timedelta(days=2))
    assert await Upkeep(windows, clock, inbox_days=2, join_days=1).forget() == 1
    assert await kept(database) == ["young"]


async def test_the_loop_forgets_at_once_and_then_again_each_hour(database: Database, windows: SqlWindows) -> None:
    clock = ManualClock()
    async with windows.write() as writer:
        await writer.claim(["old"], clock.now() - timedelta(days=1, seconds=1))
        await writer.claim(["soon"], clock.now() - timedelta(days=1) + timedelta(minutes=59))
    loop = asyncio.create_task(Upkeep(windows, clock, inbox_days=1, join_days=1).run())
    try:
        async with asyncio.timeout(30):
            while await kept(database) != ["soon"]:
                pass
            while await kept(database):
                clock.advance(3600)
    finally:
        loop.cancel()
        await asyncio.wait([loop])
    assert loop.cancelled()
