"""Feature serving over a loopback channel, composed as its main does: real SQLite files, a real Redis."""

from __future__ import annotations

import asyncio
import socket
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from click.testing import CliRunner, Result
from google.protobuf.message import Message
from redis import Redis as BlockingRedis

from services.feature_serving.adapters.sql import MIGRATIONS
from services.feature_serving.cli import main
from services.feature_serving.config import FeatureServingConfig, Rpc
from services.feature_serving.main import compose
from slipway.client import AsyncSlipway, Feature, FeatureService, FeatureView, ValueType
from slipway.errors import SlipwayError
from slipway.events import EventLog
from slipway.events.connect import open_log
from slipway.rpc import status
from slipway.sql import migrate
from slipway.supervisor.ports import free_port
from slipway.supervisor.redis import find_redis

PAUSE_S = 0.01  # between looks, which would keep a core from those that are waited for
PLANES = FeatureView(
    name="planes",
    owner="fleet",
    entities=("tailnum",),
    features=(
        Feature("seats", ValueType.INT32),
        Feature("delay", ValueType.DOUBLE),
        Feature("maker", ValueType.STRING),
        Feature("active", ValueType.BOOL),
        Feature("built", ValueType.TIMESTAMP),
        Feature("age_years", ValueType.FLOAT),
    ),
    max_age=timedelta(hours=1),
)
ROUTES = FeatureView(
    name="routes",
    owner="network",
    entities=("origin", "number"),
    features=(Feature("delay", ValueType.DOUBLE), Feature("flown", ValueType.INT64)),
)
LATE = FeatureService("late", "fleet", ("routes:delay", "planes:seats", "planes:delay"))


@dataclass
class Redis:
    """A redis-server of the test's own, which may be stopped and started."""

    folder: Path
    password: str | None = None
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [find_redis(), "--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.folder)]
        secret = ["--requirepass", self.password] if self.password else []
        self.process = subprocess.Popen([*command, "--save", "", *secret], stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if b"eady to accept connections" in line:
                return
        raise AssertionError("redis-server ended before it was ready")

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None

    def send(self, *words: str) -> bytes:
        with socket.create_connection(("127.0.0.1", self.port), 10) as connection:
            connection.sendall(" ".join(words).encode() + b"\r\n")
            return connection.recv(1000)

    def command(self, *words: str | bytes) -> Any:
        """What a command answers, as bytes."""
        with BlockingRedis(port=self.port) as client:
            return client.execute_command(*words)

    def hash(self, key: bytes) -> dict[bytes, bytes]:
        """A hash's fields."""
        with BlockingRedis(port=self.port) as client:
            found: Any = client.hgetall(key)
            return dict(found)


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    redis = Redis(tmp_path)
    redis.start()
    yield redis
    redis.stop()


@dataclass
class Served:
    """Feature serving that serves."""

    address: str
    client: AsyncSlipway
    log: EventLog

    async def refused(self, method: str, request: Message | bytes) -> SlipwayError:
        """The error that a request, or any bytes, is answered with."""
        data = request if isinstance(request, bytes) else request.SerializeToString()
        async with grpc.aio.insecure_channel(self.address) as channel:
            call: Any = channel.unary_unary(f"/slipway.features.v1.FeatureStoreService/{method}", None, None)
            with pytest.raises(grpc.aio.AioRpcError) as raised:
                await call(data, timeout=30)
        error = raised.value
        trailing: Any = error.trailing_metadata()
        return status.decode(error.code(), error.details() or "", tuple(trailing))

    @staticmethod
    async def eventually(true: Callable[[], Awaitable[bool]]) -> None:
        """Return when ``true`` is."""
        async with asyncio.timeout(60):
            while not await true():
                await asyncio.sleep(PAUSE_S)

    async def run(self, *arguments: str) -> Result:
        environment = {"SLIPWAY_FEATURE_SERVING_ADDRESS": self.address}
        return await asyncio.to_thread(CliRunner().invoke, main, arguments, env=environment)


@pytest.fixture
def redis_at() -> str:
    """Where the service looks for the online store; nothing listens there."""
    return f"redis://127.0.0.1:{free_port()}/0"


@pytest.fixture
async def features(tmp_path: Path, redis_at: str) -> AsyncIterator[Served]:
    async with _serve(tmp_path, redis_at) as served:
        yield served


@pytest.fixture
def serve() -> Callable[..., AbstractAsyncContextManager[Served]]:
    """Serves on the data and the Redis URL that are given."""
    return _serve


@pytest.fixture
def redis_server() -> type[Redis]:
    """Makes servers other than the test's own ``redis``."""
    return Redis


@pytest.fixture
async def online(tmp_path: Path, redis: Redis) -> AsyncIterator[Served]:
    """Feature serving with its online store, which knows the views and the feature service of these tests."""
    async with _serve(tmp_path / "data", f"redis://127.0.0.1:{redis.port}/0") as served:
        await served.client.features.apply([PLANES, ROUTES])
        await served.client.features.apply_services([LATE])
        yield served


@asynccontextmanager
async def _serve(folder: Path, redis_url: str, **changes: Any) -> AsyncIterator[Served]:
    config = FeatureServingConfig(
        rpc=Rpc(listen="127.0.0.1:0", grace_s=1), data=folder, database_url="", redis_url=redis_url, **changes
    )
    migrate(config.database, MIGRATIONS)
    async with compose(config) as parts, open_log(config.events) as log:
        for part in parts:
            await part.start()
        address = f"127.0.0.1:{parts.server.port}"
        try:
            async with AsyncSlipway(features=address) as client:
                yield Served(address, client, log)
        finally:
            for part in reversed(parts):
                await part.stop()
