"""Processes that write to one database at once."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, insert, select, update

from slipway.sql import Database

METADATA = MetaData()
TALLY = Table("tally", METADATA, Column("id", Integer, primary_key=True), Column("value", Integer, nullable=False))

_ADDS = """
import asyncio, sys
from sqlalchemy import text
from slipway.sql import Database

async def main(url):
    async with Database.open(url) as database:
        print("ready", flush=True)
        for _ in range(30):
            async with database.write() as connection:
                seen = (await connection.execute(text("SELECT value FROM tally"))).scalar_one()
                await connection.execute(text("UPDATE tally SET value = :more"), {"more": seen + 1})

asyncio.run(main(sys.argv[1]))
"""


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    async with Database.open(url) as database:
        async with database.write() as connection:
            await connection.run_sync(METADATA.create_all)
            await connection.execute(insert(TALLY).values(value=0))
        yield database


async def test_writers_of_several_processes_that_read_first_lose_no_update(database: Database, url: str) -> None:
    async def add() -> None:
        async with database.write() as connection:
            seen = (await connection.execute(select(TALLY.c.value))).scalar_one()
            await connection.execute(update(TALLY).values(value=seen + 1))

    command = [sys.executable, "-c", _ADDS, url]
    others = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for other in others:
        assert other.stdout is not None
        assert await asyncio.to_thread(other.stdout.readline) == "ready\n"
    for _ in range(30):
        await add()
    for other in others:
        assert await asyncio.to_thread(other.communicate) == ("", None)
        assert other.returncode == 0
    async with database.read() as connection:
        assert (await connection.execute(select(TALLY.c.value))).scalar_one() == 90
