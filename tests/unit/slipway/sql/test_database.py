from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text, UniqueConstraint, func, insert, select

from slipway import sql
from slipway.errors import InvalidInput, Kind
from slipway.sql import Database, file_url

METADATA = MetaData()
MODELS = Table("models", METADATA, Column("id", Integer, primary_key=True), Column("name", Text, unique=True))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "er" / "registry.db"


@pytest.fixture
async def database(file: Path) -> AsyncIterator[Database]:
    async with Database.open(file_url(file)) as database:
        async with database.write() as connection:
            await connection.run_sync(METADATA.create_all)
        yield database


async def count(database: Database) -> int:
    async with database.read() as connection:
        return (await connection.execute(select(func.count()).select_from(MODELS))).scalar_one()


async def test_another_process_holding_the_lock_makes_us_unavailable(database: Database, file: Path) -> None:
    async with database.write() as connection:
        await connection.exec_driver_sql("PRAGMA busy_timeout=1")
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(sql.DatabaseBusy) as caught:
        async with database.write() as connection:
            await connection.execute(insert(MODELS).values(name="a"))
    assert caught.value.kind is Kind.UNAVAILABLE
    assert caught.value.retry_after_s
    other.close()
    async with database.write() as connection:
        await connection.execute(insert(MODELS).values(name="a"))
    assert await count(database) == 1


async def test_writers_of_two_processes_that_read_first_lose_no_update(database: Database, file: Path) -> None:
    async def add_one(through: Database) -> None:
        async with through.write() as connection:
            seen = (await connection.execute(select(func.count()).select_from(MODELS))).scalar_one()
            await connection.execute(insert(MODELS).values(name=f"model-{seen}"))

    async with Database.open(file_url(file)) as other:
        await asyncio.gather(*(add_one(through) for _ in range(25) for through in (database, other)))
    assert await count(database) == 50


async def test_a_full_disk_is_exhausted_and_recovers(database: Database) -> None:
    async with database.write() as connection:
        await connection.exec_driver_sql("PRAGMA max_page_count=1")
    rows = [{"name": f"{number}-{'x' * 1000}"} for number in range(200)]
    with pytest.raises(sql.DiskFull) as caught:
        async with database.write() as connection:
            await connection.execute(insert(MODELS), rows)
    assert caught.value.kind is Kind.RESOURCE_EXHAUSTED
    assert await count(database) == 0
    async with database.write() as connection:
        await connection.exec_driver_sql("PRAGMA max_page_count=1000000")
        await connection.execute(insert(MODELS).values(name="a"))
    assert await count(database) == 1


async def test_a_file_that_is_no_database_is_data_loss(tmp_path: Path) -> None:
    file = tmp_path / "text.db"
    file.write_bytes(b"this is not a database, and never was one\n" * 100)
    with pytest.raises(sql.CorruptDatabase):
        async with Database.open(file_url(file)):
            pass


async def test_a_folder_that_cannot_be_made_is_unreachable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(sql.DatabaseUnreachable):
        async with Database.open(file_url(tmp_path / "file" / "under" / "x.db")):
            pass


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://u:hunter2@host/x", "sqlite://", "sqlite:///:memory:"])
async def test_a_bad_url_names_the_field_and_keeps_its_password(url: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        async with Database.open(url):
            pass
    assert caught.value.violations[0].field == "database.url"
    assert "hunter2" not in caught.value.message


def test_importing_the_port_leaves_alembic_alone() -> None:
    told = "import sys, slipway.sql; sys.exit('alembic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", told], check=False).returncode == 0


async def test_a_broken_uniqueness_names_every_column(tmp_path: Path) -> None:
    metadata = MetaData()
    pairs = Table("pairs", metadata, Column("a", Text), Column("b", Text), UniqueConstraint("a", "b"))
    async with Database.open(file_url(tmp_path / "x.db")) as database, database.write() as connection:
        await connection.run_sync(metadata.create_all)
        with pytest.raises(sql.Conflict) as caught:
            await connection.execute(insert(pairs), [{"a": "1", "b": "2"}] * 2)
    assert caught.value.columns == ("pairs.a", "pairs.b")
