"""A gateway for foreign clients: composed as its main does, with a registry beside it, in this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from services.inference_gateway import main as gateway_main
from services.inference_gateway.config import GatewayConfig
from services.registry import main as registry_main
from services.registry.adapters.sql import MIGRATIONS
from services.registry.config import RegistryConfig
from slipway import lifecycle, sql
from slipway.client import AsyncSlipway, Route, Signature, VersionState

_PATIENCE_S = 60.0
_PAUSE_S = 0.01  # between looks, which would keep a core from what is waited for


@dataclass(frozen=True)
class Model:
    """An ONNX file, what it takes and gives, and how many versions of it an endpoint has; the last has no weight."""

    artifact: bytes
    signature: Signature
    versions: int = 1


@dataclass(frozen=True)
class Served:
    """Where the gateway answers, as host:port each."""

    grpc: str
    http: str


@asynccontextmanager
async def served(folder: Path, models: Mapping[str, Model]) -> AsyncIterator[Served]:
    """A gateway that answers by these models, an endpoint each, until the block ends."""
    async with AsyncExitStack() as running:
        registry = RegistryConfig(
            data=folder,
            rpc={"listen": "127.0.0.1:0", "grace_s": 1.0},
            database_url=f"sqlite:///{folder}/registry/registry.db",
            events_url=f"sqlite:///{folder}/registry/log.db",
        )
        await asyncio.to_thread(sql.migrate, registry.database, MIGRATIONS)
        standing = await running.enter_async_context(registry_main.compose(registry))
        await running.enter_async_context(lifecycle.running(*standing))
        known = f"127.0.0.1:{standing.server.port}"
        config = GatewayConfig(
            data=folder,
            rpc={"listen": "127.0.0.1:0", "grace_s": 2.0},
            http={"listen": "127.0.0.1:0"},
            registry=known,
            events_url=f"sqlite:///{folder}/bus/log.db",
            worker={"device": "cpu"},
        )
        parts = await running.enter_async_context(gateway_main.compose(config))
        await running.enter_async_context(lifecycle.running(*parts))
        at = Served(f"127.0.0.1:{parts.server.port}", f"127.0.0.1:{parts.rest.port}")
        async with AsyncSlipway(registry=known, gateway=at.grpc) as client:
            for endpoint, model in models.items():
                await _serve(client, endpoint, model)
            async with asyncio.timeout(_PATIENCE_S):
                await _until_ready(client, len(models))
        yield at


async def _serve(client: AsyncSlipway, endpoint: str, model: Model) -> None:
    await client.registry.create_model(endpoint, owner="dock")
    uploaded = await client.registry.upload_artifact(model.artifact)
    routes: list[Route] = []
    for _ in range(model.versions):
        version = await client.registry.register_version(endpoint, uploaded, model.signature)
        spare = bool(routes) and version.number == model.versions
        routes.append(Route(f"v{version.number}", endpoint, version=version.number, weight=0 if spare else 1))
    await client.registry.put_endpoint(endpoint, routes)


async def _until_ready(client: AsyncSlipway, count: int) -> None:
    while True:
        found = list(await client.inference.endpoints())
        if len(found) == count and all(arm.state is VersionState.READY for one in found for arm in one.routes):
            return
        await asyncio.sleep(_PAUSE_S)
