"""The catalogues that the suite runs on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from sqlalchemy import select

from services.registry.adapters import tables
from services.registry.adapters.memory import MemoryCatalogue
from services.registry.adapters.sql import MIGRATIONS, SqlCatalogue
from services.registry.codec import encode_change
from services.registry.ports import Catalogue
from slipway.sql import Database, Migrations

MemoryOrUrl = Callable[[Migrations], str | None]


@dataclass(frozen=True)
class Subject:
    """A catalogue under test, and the values of what it has announced."""

    catalogue: Catalogue
    announced: Callable[[], Awaitable[list[bytes]]]


@asynccontextmanager
async def _memory() -> AsyncIterator[Subject]:
    catalogue = MemoryCatalogue()

    async def announced() -> list[bytes]:
        return [encode_change(change)[3] for change in catalogue.announced]

    yield Subject(catalogue, announced)


@asynccontextmanager
async def _sql(url: str) -> AsyncIterator[Subject]:
    async with Database.open(url, MIGRATIONS) as database:

        async def announced() -> list[bytes]:
            async with database.read() as connection:
                query = select(tables.outbox.c.value).order_by(tables.outbox.c.position)
                return list((await connection.execute(query)).scalars())

        yield Subject(SqlCatalogue(database, lambda: None), announced)


@pytest.fixture
async def subject(memory_or_url: MemoryOrUrl) -> AsyncIterator[Subject]:
    url = memory_or_url(MIGRATIONS)
    async with _sql(url) if url else _memory() as subject:
        yield subject
