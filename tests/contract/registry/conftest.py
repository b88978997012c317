"""The catalogues that the suite runs on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select

from services.registry.adapters import tables
from services.registry.adapters.memory import MemoryCatalogue
from services.registry.adapters.sql import MIGRATIONS, SqlCatalogue
from services.registry.codec import encode_change
from services.registry.ports import Catalogue
from slipway import sql
from slipway.sql import Database


@dataclass(frozen=True)
class Subject:
    """A catalogue under test, and the values of what it has announced."""

    catalogue: Catalogue
    announced: Callable[[], Awaitable[list[bytes]]]


@asynccontextmanager
async def _memory(_: Path) -> AsyncIterator[Subject]:
    catalogue = MemoryCatalogue()

    async def announced() -> list[bytes]:
        return [encode_change(change)[3] for change in catalogue.announced]

    yield Subject(catalogue, announced)


@asynccontextmanager
async def _sqlite(folder: Path) -> AsyncIterator[Subject]:
    url = sql.file_url(folder / "registry.db")
    sql.migrate(url, MIGRATIONS)
    async with Database.open(url, MIGRATIONS) as database:

        async def announced() -> list[bytes]:
            async with database.read() as connection:
                query = select(tables.outbox.c.value).order_by(tables.outbox.c.position)
                return list((await connection.execute(query)).scalars())

        yield Subject(SqlCatalogue(database, lambda: None), announced)


@pytest.fixture(params=[_memory, _sqlite], ids=["memory", "sqlite"])
async def subject(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Subject]:
    async with request.param(tmp_path) as subject:
        yield subject
