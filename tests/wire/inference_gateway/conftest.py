"""The real gateway and the real registry, each behind its loopback channel, with real worker processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import grpc.aio
import pytest
import pytest_asyncio
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from services.inference_gateway import main as gateway_main
from services.inference_gateway.config import GatewayConfig
from services.registry import main as registry_main
from services.registry.adapters.sql import MIGRATIONS
from services.registry.config import RegistryConfig
from slipway import lifecycle, sql
from slipway.client import (
    AsyncSlipway,
    ColumnSpec,
    DataType,
    EndpointStatus,
    Route,
    RouteStatus,
    Signature,
    TensorSpec,
    VersionState,
)
from slipway.events import Record
from slipway.events.connect import open_log
from slipway.gen.inference import inference_pb2 as open_pb
from slipway.gen.slipway.inference.v1 import events_pb2, inference_pb2
from slipway.rpc import status
from slipway.supervisor.ports import free_port
from tests.prediction_log import batches

PATIENCE_S = 30.0
PAUSE_S = 0.01  # between looks, which would keep a core from those that are waited for
TOPIC = "inference.predictions.v1"
OWN = inference_pb2.DESCRIPTOR.services_by_name["InferenceService"]
OPEN = open_pb.DESCRIPTOR.services_by_name["GRPCInferenceService"]
ROW = {"distance": 1.0, "year": 1999.0, "carrier": "UA", "stops": 2}


def signature(read: Mapping[str, str] | None = None, *entities: ColumnSpec) -> Signature:
    """What ``onnx_models.mixed`` takes and gives; ``read`` has the columns that are features, by name."""
    read = read or {}
    return Signature(
        (
            ColumnSpec("distance", DataType.FP32, feature=read.get("distance", "")),
            ColumnSpec("year", DataType.FP32, True, feature=read.get("year", "")),
            ColumnSpec("carrier", DataType.BYTES, True, feature=read.get("carrier", "")),
            ColumnSpec("stops", DataType.INT64, feature=read.get("stops", "")),
        ),
        (
            TensorSpec("p", DataType.FP32, (-1, 1)),
            TensorSpec("seen_year", DataType.FP32, (-1, 1)),
            TensorSpec("seen_carrier", DataType.BYTES, (-1, 1)),
            TensorSpec("seen_stops", DataType.INT64, (-1, 1)),
        ),
        entities,
    )


class World:
    """A registry and a gateway on one folder; each may be stopped and started again."""

    signature = staticmethod(signature)

    def __init__(self, folder: Path, models: ModuleType) -> None:
        self.folder = folder
        self.models = models
        self.row = dict(ROW)
        self.registry_address = f"127.0.0.1:{free_port()}"
        self.features_address = f"127.0.0.1:{free_port()}"
        self.events = f"sqlite:///{folder}/bus/log.db"
        self.http = ""
        self.address = ""
        self._registry = AsyncExitStack()
        self._gateway = AsyncExitStack()
        self.client: AsyncSlipway
        self.channel: grpc.aio.Channel

    async def start_registry(self) -> None:
        config = RegistryConfig(
            data=self.folder,
            rpc={"listen": self.registry_address, "grace_s": 1.0},
            database_url=f"sqlite:///{self.folder}/registry/registry.db",
            events_url=f"sqlite:///{self.folder}/registry/log.db",
        )
        await asyncio.to_thread(sql.migrate, config.database, MIGRATIONS)
        parts = await self._registry.enter_async_context(registry_main.compose(config))
        await self._registry.enter_async_context(lifecycle.running(*parts))

    async def stop_registry(self) -> None:
        await self._registry.aclose()

    async def start_gateway(self, **changes: Any) -> None:
        given: dict[str, Any] = {
            "data": self.folder,
            "rpc": {"listen": "127.0.0.1:0", "grace_s": 2.0},
            "http": {"listen": "127.0.0.1:0", "max_body_bytes": 64 * 1024},
            "registry": self.registry_address,
            "features_address": self.features_address,
            "events_url": self.events,
            "worker": {"device": "cpu"},
        }
        config = GatewayConfig(**{**given, **changes})
        parts = await self._gateway.enter_async_context(gateway_main.compose(config))
        await self._gateway.enter_async_context(lifecycle.running(*parts))
        self.address = f"127.0.0.1:{parts.server.port}"
        self.http = f"http://127.0.0.1:{parts.rest.port}"
        self.client = await self._gateway.enter_async_context(
            AsyncSlipway(registry=self.registry_address, gateway=self.address, features=self.features_address)
        )
        self.channel = await self._gateway.enter_async_context(grpc.aio.insecure_channel(self.address))

    async def stop_gateway(self) -> None:
        await self._gateway.aclose()

    async def register(
        self, plus: float = 0.0, *, model: str = "m", artifact: bytes | None = None, takes: Signature | None = None
    ) -> int:
        """A version of a model that adds ``plus``; its number."""
        await self.client.registry.create_model(model, owner="dock")
        uploaded = await self.client.registry.upload_artifact(artifact or self.models.mixed(plus))
        return (await self.client.registry.register_version(model, uploaded, takes or signature())).number

    async def route(self, endpoint: str, *arms: tuple[str, int, int], model: str = "m", shadow: str = "") -> None:
        """Give an endpoint arms: name, version, weight; one of them may be a shadow."""
        routes = [
            Route(name, model, version=version, weight=weight, shadow=name == shadow) for name, version, weight in arms
        ]
        await self.client.registry.put_endpoint(endpoint, routes)

    async def status(self, endpoint: str) -> EndpointStatus | None:
        found = [one for one in await self.client.inference.endpoints() if one.name == endpoint]
        return found[0] if found else None

    async def until(self, endpoint: str, holds: Callable[[tuple[RouteStatus, ...]], bool]) -> tuple[RouteStatus, ...]:
        """The endpoint's arms, as soon as they are so."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                found = await self.status(endpoint)
                if found is not None and holds(found.routes):
                    return found.routes
                await asyncio.sleep(PAUSE_S)

    async def ready(self, endpoint: str, *versions: int) -> None:
        """Return when these versions answer, an arm each."""
        await self.until(
            endpoint,
            lambda arms: (
                [one.serving_version for one in arms] == list(versions)
                and {one.state for one in arms} == {VersionState.READY}
            ),
        )

    async def standing(self, endpoint: str, plus: float = 0.0) -> int:
        """An endpoint that answers by one new version; its number."""
        number = await self.register(plus)
        await self.route(endpoint, ("main", number, 1))
        await self.ready(endpoint, number)
        return number

    async def send(self, method: str, data: bytes, service: str = OWN.full_name) -> bytes:
        """One answer to one message's bytes; raises SlipwayError."""
        try:
            return bytes(await self.channel.unary_unary(f"/{service}/{method}")(data, timeout=PATIENCE_S))
        except grpc.aio.AioRpcError as error:
            trailing: Any = error.trailing_metadata() or ()
            raise status.decode(error.code(), error.details() or "", tuple(trailing)) from None

    async def call(self, method: str, request: Message, service: Any = OWN) -> Any:
        """One typed answer."""
        answer = GetMessageClass(service.methods_by_name[method].output_type)
        return answer.FromString(await self.send(method, request.SerializeToString(), service.full_name))

    async def logged(self, endpoint: str, rows: int) -> list[events_pb2.PredictionBatch]:
        """What the bus has of an endpoint, once it has so many rows; no event twice."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                records = await self.records(TOPIC)
                mine = [one for one in batches(one.event.value for one in records) if one.endpoint == endpoint]
                if sum(len(one.prediction_ids) for one in mine) >= rows:
                    assert len({one.event.id for one in records}) == len(records)
                    return mine
                await asyncio.sleep(PAUSE_S)

    async def records(self, topic: str) -> list[Record]:
        """What the bus has of a topic."""
        async with open_log(self.events) as log:
            return list(await log.read(topic, limit=100_000))


@asynccontextmanager
async def _world(folder: Path, models: ModuleType) -> AsyncIterator[World]:
    world = World(folder, models)
    await world.start_registry()
    await world.start_gateway()
    try:
        yield world
    finally:
        await world.stop_gateway()
        await world.stop_registry()


@pytest.fixture
async def world(tmp_path: Path, onnx_models: ModuleType) -> AsyncIterator[World]:
    """One for a test that stops or breaks things."""
    async with _world(tmp_path, onnx_models) as world:
        yield world


@pytest.fixture
async def registered(tmp_path: Path, onnx_models: ModuleType) -> AsyncIterator[World]:
    """One with a registry alone."""
    world = World(tmp_path, onnx_models)
    await world.start_registry()
    try:
        yield world
    finally:
        await world.stop_registry()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory, onnx_models: ModuleType) -> AsyncIterator[World]:
    """One for a whole file, whose endpoint ``late`` answers by version 1 of ``m``."""
    async with _world(tmp_path_factory.mktemp("served"), onnx_models) as world:
        await world.standing("late")
        yield world


@pytest.fixture(scope="session")
def worlds() -> Callable[[Path, ModuleType], AbstractAsyncContextManager[World]]:
    """Makes worlds for other scopes."""
    return _world


@pytest.fixture
def eventually() -> Callable[[Callable[[], Awaitable[bool]]], Awaitable[None]]:
    async def wait(holds: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not await holds():
                await asyncio.sleep(PAUSE_S)

    return wait
