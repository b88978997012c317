"""What a server alone can do to its clients: end them, make them wait, refuse what a file takes."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable

import psycopg
import pytest
from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    func,
    insert,
    select,
    text,
)

from slipway import sql
from slipway.errors import Kind, SlipwayError
from slipway.sql import Database, Migrations, migrate

METADATA = MetaData()
MODELS = Table(
    "models",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("name", String(8)),
    Column("Owner", String(8)),
    Column("size", BigInteger),
    Column("note", Text, index=True),
    UniqueConstraint("name", "Owner"),
)
# No two parts of it are alike, so that it does not compress.
LONG = "".join(f"{number:x}" for number in range(20_000))


@pytest.fixture
def url(make_postgresql: Callable[[], str]) -> str:
    """No file has these tests."""
    return make_postgresql()


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    async with Database.open(url) as database:
        async with database.write() as connection:
            await connection.run_sync(METADATA.create_all)
        yield database


def told(url: str, **settings: str) -> str:
    """``url`` with settings of the session."""
    return f"{url}?options=" + "%20".join(f"-c%20{name}={value}" for name, value in settings.items())


async def count(database: Database) -> int:
    async with database.read() as connection:
        return (await connection.execute(select(func.count()).select_from(MODELS))).scalar_one()


def end_sessions(url: str) -> None:
    """What a restart of the server does to those who are connected."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
            "AND datname = current_database()"
        )


async def test_sessions_that_end_between_transactions_are_not_noticed(database: Database, url: str) -> None:
    assert await count(database) == 0
    end_sessions(url)
    async with database.write() as connection:
        await connection.execute(insert(MODELS).values(name="a"))
    assert await count(database) == 1


async def write(database: Database, *steps: Callable[[], object] | str) -> None:
    """Insert each name and do the rest, in one transaction."""
    async with database.write() as connection:
        for step in steps:
            if isinstance(step, str):
                await connection.execute(insert(MODELS).values(name=step))
            else:
                step()


async def test_a_session_that_ends_in_a_write_takes_all_of_it(database: Database, url: str) -> None:
    with pytest.raises(sql.DatabaseUnreachable) as caught:
        await write(database, "a", lambda: end_sessions(url), "b")
    assert (caught.value.kind, bool(caught.value.retry_after_s)) == (Kind.UNAVAILABLE, True)
    assert await count(database) == 0


async def test_a_session_that_ends_before_the_commit_acknowledges_nothing(database: Database, url: str) -> None:
    with pytest.raises(sql.DatabaseUnreachable):
        await write(database, "a", lambda: end_sessions(url))
    assert await count(database) == 0


async def test_a_read_whose_session_ends_is_unavailable(database: Database, url: str) -> None:
    async def read_twice() -> None:
        async with database.read() as connection:
            await connection.execute(select(MODELS))
            end_sessions(url)
            await connection.execute(select(MODELS))

    with pytest.raises(sql.DatabaseUnreachable):
        await read_twice()
    assert await count(database) == 0


async def test_who_waits_too_long_for_the_lock_is_unavailable(database: Database, url: str) -> None:
    async with Database.open(told(url, lock_timeout="20ms")) as other, database.write():
        with pytest.raises(sql.DatabaseBusy, match="another writer") as caught:
            async with other.write():
                pass
    assert caught.value.retry_after_s
    async with database.write():
        pass


async def test_a_statement_that_takes_too_long_is_ended(url: str) -> None:
    async with Database.open(told(url, statement_timeout="20ms")) as database:
        with pytest.raises(sql.DatabaseBusy, match="too long"):
            async with database.read() as connection:
                await connection.execute(text("SELECT pg_sleep(60)"))


async def test_an_error_that_is_swallowed_in_a_write_is_not_taken_for_a_success(database: Database) -> None:
    async def swallows() -> None:
        async with database.write() as connection:
            await connection.execute(insert(MODELS).values(name="a", Owner="o"))
            with pytest.raises(sql.Conflict) as caught:
                await connection.execute(insert(MODELS).values(name="a", Owner="o"))
            assert caught.value.columns == ("models.name", "models.Owner")

    with pytest.raises(sql.DatabaseFailure, match="went on"):
        await swallows()
    assert await count(database) == 0


_STOPS = """
import asyncio, os, signal, sys
from sqlalchemy import text
from slipway.sql import Database

async def main():
    async with Database.open(sys.argv[1]) as database:
        async with database.write() as connection:
            await connection.execute(text("INSERT INTO models (name) VALUES ('late')"))
            print("holds", flush=True)
            os.kill(os.getpid(), signal.SIGSTOP)

try:
    asyncio.run(main())
except Exception as error:
    print(type(error).__name__, flush=True)
"""


async def test_a_writer_that_was_stopped_lets_go_of_the_lock_and_is_fenced(database: Database, url: str) -> None:
    stopping = told(url, idle_in_transaction_session_timeout="100ms")
    process = subprocess.Popen([sys.executable, "-c", _STOPS, stopping], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert await asyncio.to_thread(process.stdout.readline) == "holds\n"
    async with database.write() as connection:
        await connection.execute(insert(MODELS).values(name="next"))
    os.kill(process.pid, signal.SIGCONT)
    assert await asyncio.to_thread(process.communicate) == ("DatabaseUnreachable\n", None)
    assert await count(database) == 1


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"name": "nine char"}, "longer"),
        ({"name": "a\0b"}, "NUL"),
        ({"size": 2**63}, "larger"),
        ({"note": LONG}, "index"),
    ],
)
async def test_a_value_that_no_column_holds_is_the_callers_fault(
    database: Database, values: dict[str, object], said: str
) -> None:
    with pytest.raises(sql.Unstorable, match=said) as caught:
        async with database.write() as connection:
            await connection.execute(insert(MODELS).values(**values))
    assert caught.value.kind is Kind.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("sqlstate", "error"),
    [
        ("40001", sql.DatabaseBusy),
        ("40P01", sql.DatabaseBusy),
        ("53100", sql.DiskFull),
        ("53300", sql.DatabaseUnreachable),
        ("57P03", sql.DatabaseUnreachable),
        ("58030", sql.DatabaseUnreachable),
        ("42501", sql.DatabaseUnreachable),
        ("XX001", sql.CorruptDatabase),
        ("42P01", sql.DatabaseFailure),
        ("22012", sql.DatabaseFailure),
    ],
)
async def test_a_servers_error_has_one_name(url: str, sqlstate: str, error: type[SlipwayError]) -> None:
    raising = f"DO $$ BEGIN RAISE EXCEPTION 'secret' USING ERRCODE = '{sqlstate}'; END $$"
    async with Database.open(url) as database:
        with pytest.raises(error) as caught:
            async with database.write() as connection:
                await connection.execute(text(raising))
    assert type(caught.value) is error
    assert "secret" not in caught.value.message


async def test_a_server_that_is_not_there_is_named_so(url: str) -> None:
    for wrong in (url.replace("/test_", "/none_"), "postgresql://slipway@127.0.0.1:1/x"):
        async with Database.open(wrong) as database:
            with pytest.raises(sql.DatabaseUnreachable, match="see that its server runs"):
                await count(database)
        with pytest.raises(sql.DatabaseUnreachable):
            migrate(wrong, Migrations("services.registry.adapters.migrations"))


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ("ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'en' LOCALE 'C'", "rules of a language"),
        ("ENCODING 'LATIN1' LOCALE 'C'", "LATIN1"),
    ],
)
async def test_a_database_of_another_order_or_encoding_is_refused(url: str, made: str, said: str) -> None:
    other = f"{url}_unfit"
    name = other.rpartition("/")[2]
    migrations = Migrations("services.registry.adapters.migrations")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 {made}")
        try:
            with pytest.raises(sql.UnfitDatabase, match=rf"{said}.*CREATE DATABASE"):
                migrate(other, migrations)
            with pytest.raises(sql.UnfitDatabase, match=said):
                async with Database.open(other, migrations):
                    pass
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
