"""What is stored comes back as it was, and sorts alike, on every database."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import BigInteger, Boolean, Column, Double, Integer, LargeBinary, MetaData, Table, Text, insert, select

from slipway.sql import Database, Json, UtcTime

METADATA = MetaData()
ROWS = Table(
    "value",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("whole", BigInteger),
    Column("real", Double),
    Column("yes", Boolean),
    Column("raw", LargeBinary),
    Column("name", Text),
    Column("doc", Json),
    Column("at", UtcTime),
)
DOCUMENT = {"z": 1e300, "a": [1.0, 1, 10**30, None, True, "é"], "m": {"y": 5e-324, "b": -0.0, "": "quote ' \" \\"}}


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    async with Database.open(url) as database:
        async with database.write() as connection:
            await connection.run_sync(METADATA.create_all)
        yield database


async def put(database: Database, **values: object) -> None:
    async with database.write() as connection:
        await connection.execute(insert(ROWS).values(**values))


async def all_of(database: Database, column: str, order: str = "id") -> list[object]:
    async with database.read() as connection:
        query = select(ROWS.c[column]).order_by(ROWS.c[order])
        return list((await connection.execute(query)).scalars())


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("whole", 2**63 - 1),
        ("whole", -(2**63)),
        ("real", math.inf),
        ("real", 0.1 + 0.2),
        ("real", 5e-324),
        ("yes", False),
        ("raw", bytes(range(256))),
        ("raw", b""),
        ("name", "line\nend ' \" \\ % :x é 漢 \U0001f6a2"),
        ("name", ""),
        ("at", datetime(1, 1, 1, tzinfo=UTC)),
        ("at", datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
        ("doc", None),
    ],
)
async def test_a_value_comes_back(database: Database, column: str, value: object) -> None:
    await put(database, **{column: value})
    assert await all_of(database, column) == [value]


async def test_a_document_comes_back_in_its_order_with_its_kinds_of_numbers(database: Database) -> None:
    await put(database, doc=DOCUMENT)
    (found,) = await all_of(database, "doc")
    assert repr(found) == repr(DOCUMENT)


async def test_an_instant_comes_back_in_utc_and_sorts_as_time(database: Database) -> None:
    first = datetime(2013, 1, 1, 5, tzinfo=UTC)
    for at in (first + timedelta(microseconds=1), first.astimezone(timezone(timedelta(hours=9)))):
        await put(database, at=at)
    found = await all_of(database, "at", order="at")
    assert [str(one) for one in found] == ["2013-01-01 05:00:00+00:00", "2013-01-01 05:00:00.000001+00:00"]


async def test_texts_sort_by_their_bytes(database: Database) -> None:
    names = ["a", "B", "b", "A", "_a", "-a", "é", "z", "a b", "ab", "10", "9", "漢", ""]
    for name in names:
        await put(database, name=name)
    assert await all_of(database, "name", order="name") == sorted(names)
    async with database.read() as connection:
        after = await connection.execute(select(ROWS.c.name).where(ROWS.c.name > "a").order_by(ROWS.c.name))
    assert list(after.scalars()) == [name for name in sorted(names) if name > "a"]
