"""What a database promises, whichever stands behind the URL."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import Column, ForeignKey, Integer, MetaData, Table, Text, func, insert, select, text

from slipway import sql
from slipway.errors import Kind
from slipway.sql import Database

METADATA = MetaData()
MODELS = Table("models", METADATA, Column("id", Integer, primary_key=True), Column("name", Text, unique=True))
VERSIONS = Table("versions", METADATA, Column("model", ForeignKey("models.id")), Column("note", Text, nullable=False))


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    async with Database.open(url) as database:
        async with database.write() as connection:
            await connection.run_sync(METADATA.create_all)
        yield database


async def count(database: Database) -> int:
    async with database.read() as connection:
        return (await connection.execute(select(func.count()).select_from(MODELS))).scalar_one()


async def test_what_a_write_block_did_is_there_after_it(database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(insert(MODELS).values(name="a"))
    assert await count(database) == 1


async def test_a_write_block_that_raises_leaves_nothing(database: Database) -> None:

    async def fails() -> None:
        async with database.write() as connection:
            await connection.execute(insert(MODELS).values(name="a"))
            raise LookupError

    with pytest.raises(LookupError):
        await fails()
    assert await count(database) == 0


async def test_a_cancelled_write_leaves_nothing_and_frees_the_turn(database: Database) -> None:
    inserted = asyncio.Event()

    async def never_ends() -> None:
        async with database.write() as connection:
            await connection.execute(insert(MODELS).values(name="a"))
            inserted.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(never_ends())
    await inserted.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with database.write() as connection:
        await connection.execute(insert(MODELS).values(name="b"))
    assert await count(database) == 1


async def test_a_reader_keeps_its_snapshot_while_a_writer_commits(database: Database) -> None:
    query = select(func.count()).select_from(MODELS)
    async with database.read() as reader:
        assert (await reader.execute(query)).scalar_one() == 0
        async with database.write() as writer:
            await writer.execute(insert(MODELS).values(name="a"))
        assert (await reader.execute(query)).scalar_one() == 0
    assert await count(database) == 1


async def test_a_reader_cannot_write(database: Database) -> None:
    with pytest.raises(sql.DatabaseFailure, match=r"use write\(\)"):
        async with database.read() as connection:
            await connection.execute(insert(MODELS).values(name="a"))
    assert await count(database) == 0


async def test_writers_that_read_first_lose_no_update(database: Database) -> None:
    async def add_one() -> None:
        async with database.write() as connection:
            seen = (await connection.execute(select(func.count()).select_from(MODELS))).scalar_one()
            await connection.execute(insert(MODELS).values(name=f"model-{seen}"))

    await asyncio.gather(*(add_one() for _ in range(25)))
    assert await count(database) == 25


async def test_nested_write_is_a_clear_error(database: Database) -> None:
    with pytest.raises(RuntimeError, match="pass the connection on"):
        async with database.write(), database.write():
            pass
    assert await count(database) == 0


async def test_a_broken_uniqueness_names_its_columns(database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(insert(MODELS).values(name="a"))
    with pytest.raises(sql.Conflict) as caught:
        async with database.write() as connection:
            await connection.execute(insert(MODELS).values(name="a"))
    assert any("name" in column for column in caught.value.columns)
    assert caught.value.kind is Kind.ALREADY_EXISTS


async def test_a_broken_reference_is_named_so(database: Database) -> None:
    with pytest.raises(sql.BrokenReference):
        async with database.write() as connection:
            await connection.execute(insert(VERSIONS).values(model=7, note="x"))


async def test_a_refused_statement_says_nothing_of_the_driver(database: Database) -> None:
    with pytest.raises(sql.DatabaseFailure) as caught:
        async with database.read() as connection:
            await connection.execute(text("SELECT secret FROM nowhere"))
    assert "nowhere" not in caught.value.message
    assert "nowhere" in str(caught.value.__cause__)


_KILLED = """
import asyncio, os, signal, sys
from sqlalchemy import text
from slipway.sql import Database

async def main():
    async with Database.open(sys.argv[1]) as database:
        async with database.write() as connection:
            await connection.execute(text("INSERT INTO models (name) VALUES ('kept')"))
        async with database.write() as connection:
            await connection.execute(text("INSERT INTO models (name) VALUES ('lost')"))
            os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


async def test_kill_9_keeps_what_was_committed_and_nothing_else(database: Database, url: str) -> None:
    child = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", _KILLED, url], check=False)
    assert child.returncode == -signal.SIGKILL
    async with database.read() as connection:
        names = (await connection.execute(select(MODELS.c.name))).scalars().all()
    assert names == ["kept"]


async def test_cancelled_at_any_point_a_write_is_whole_or_absent_and_blocks_nobody(database: Database) -> None:
    async def write_two(name: str) -> None:
        async with database.write() as connection:
            await connection.execute(insert(MODELS).values(name=f"{name}-a"))
            await connection.execute(insert(MODELS).values(name=f"{name}-b"))

    async def look() -> None:
        while True:
            assert await count(database) % 2 == 0

    turns = whole = 0
    # From the first step of a write to well after its last one, whatever the machine's speed.
    while whole < 5:
        turns += 3
        writing, looking = asyncio.create_task(write_two(str(turns))), asyncio.create_task(look())
        for _ in range(turns):
            await asyncio.sleep(0)
        for task in (writing, looking):
            task.cancel()
        await asyncio.gather(writing, looking, return_exceptions=True)
        assert writing.cancelled() or writing.exception() is None
        whole += not writing.cancelled()
        assert looking.cancelled()
    before = await count(database)
    await write_two("last")
    assert await count(database) == before + 2
