"""The adapters that the suites run on. A new one adds its name here."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.feature_serving.adapters.redis import RedisStore
from services.feature_serving.adapters.sql import MIGRATIONS, SqlCatalogue
from services.feature_serving.adapters.training_sets import SqlTrainingSets
from services.feature_serving.adapters.watermarks import SqlWatermarks
from services.feature_serving.adapters.windows import SqlWindows
from services.feature_serving.ports import Catalogue, OnlineStore, TrainingSets, Watermarks, Windows
from slipway.sql import Database, file_url, migrate
from slipway.supervisor.redis import find_redis


@pytest.fixture(params=["sqlite"])
async def catalogue(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Catalogue]:
    assert request.param == "sqlite"
    url = file_url(tmp_path / "features.db")
    migrate(url, MIGRATIONS)
    async with Database.open(url, MIGRATIONS) as database:
        yield SqlCatalogue(database)


@pytest.fixture(params=["sqlite"])
async def watermarks(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Watermarks]:
    assert request.param == "sqlite"
    url = file_url(tmp_path / "features.db")
    migrate(url, MIGRATIONS)
    async with Database.open(url, MIGRATIONS) as database:
        yield SqlWatermarks(database)


@pytest.fixture(params=["sqlite"])
async def training_sets(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[TrainingSets]:
    assert request.param == "sqlite"
    url = file_url(tmp_path / "features.db")
    migrate(url, MIGRATIONS)
    async with Database.open(url, MIGRATIONS) as database:
        yield SqlTrainingSets(database)


@pytest.fixture(params=["sqlite"])
async def windows(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Windows]:
    """Beside the watermarks, in the same database."""
    assert request.param == "sqlite"
    url = file_url(tmp_path / "features.db")
    migrate(url, MIGRATIONS)
    async with Database.open(url, MIGRATIONS) as database:
        yield SqlWindows(database)


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
