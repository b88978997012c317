"""The adapters that the suites run on. A new one adds its name here."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from services.feature_serving.adapters.redis import RedisStore
from services.feature_serving.adapters.sql import MIGRATIONS, SqlCatalogue
from services.feature_serving.adapters.training_sets import SqlTrainingSets
from services.feature_serving.adapters.watermarks import SqlWatermarks
from services.feature_serving.adapters.windows import SqlWindows
from services.feature_serving.ports import Catalogue, OnlineStore, TrainingSets, Watermarks, Windows
from slipway.sql import Database, Migrations
from slipway.supervisor.redis import find_redis


@pytest.fixture
async def database(make_database: Callable[[Migrations], str]) -> AsyncIterator[Database]:
    async with Database.open(make_database(MIGRATIONS), MIGRATIONS) as database:
        yield database


@pytest.fixture
def catalogue(database: Database) -> Catalogue:
    return SqlCatalogue(database)


@pytest.fixture
def watermarks(database: Database) -> Watermarks:
    return SqlWatermarks(database)


@pytest.fixture
def training_sets(database: Database) -> TrainingSets:
    return SqlTrainingSets(database)


@pytest.fixture
def windows(database: Database) -> Windows:
    return SqlWindows(database)


@pytest.fixture(params=["redis"])
async def online_store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[OnlineStore]:
    assert request.param == "redis"
    socket = tmp_path / "redis.sock"
    command = [find_redis(), "--port", "0", "--unixsocket", str(socket), "--dir", str(tmp_path), "--save", ""]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert any(b"eady to accept connections" in line for line in process.stdout)
        try:
            async with RedisStore.open(f"unix://{socket}") as store:
                yield store
        finally:
            process.kill()
