"""The adapters that the suites run on. A new one adds its name here."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from urllib.parse import urlsplit

import pytest
from redis import Redis

from services.feature_serving.adapters.pushed import SqlPushed
from services.feature_serving.adapters.redis import RedisStore
from services.feature_serving.adapters.sql import MIGRATIONS, SqlCatalogue
from services.feature_serving.adapters.training_sets import SqlTrainingSets
from services.feature_serving.adapters.watermarks import SqlWatermarks
from services.feature_serving.adapters.windows import SqlWindows
from services.feature_serving.ports.catalogue import Catalogue
from services.feature_serving.ports.training_sets import TrainingSets
from services.feature_serving.ports.windows import Windows
from services.feature_serving.ports.written import Pushed, Watermarks
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
def pushed(database: Database) -> Pushed:
    return SqlPushed(database)


@pytest.fixture
def training_sets(database: Database) -> TrainingSets:
    return SqlTrainingSets(database)


@pytest.fixture
def windows(database: Database) -> Windows:
    return SqlWindows(database)


@pytest.fixture(scope="session")
def private_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server that the embedded profile brings, on a socket."""
    folder = tmp_path_factory.mktemp("redis")
    socket = folder / "redis.sock"
    command = [find_redis(), "--port", "0", "--unixsocket", str(socket), "--dir", str(folder), "--save", ""]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert any(b"eady to accept connections" in line for line in process.stdout)
        yield f"unix://{socket}?db=9"
        process.kill()


@pytest.fixture(params=["private", "given"])
def redis_database(request: pytest.FixtureRequest) -> Redis:
    """A database of Redis with nothing in it: the tests' own server's, and that of the one that is given."""
    if request.param == "private":
        url = request.getfixturevalue("private_redis")
    else:
        url = urlsplit(request.getfixturevalue("redis_url"))._replace(path="/9").geturl()
    client = Redis.from_url(url)
    client.flushdb()
    return client


@pytest.fixture
async def online_store(redis_database: Redis) -> AsyncIterator[RedisStore]:
    named = redis_database.connection_pool.connection_kwargs
    url = f"unix://{named['path']}?db=9" if "path" in named else f"redis://{named['host']}:{named['port']}/9"
    async with RedisStore.open(url, named.get("password")) as store:
        yield store
