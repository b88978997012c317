"""Slipway itself: a real registry, a real feature store on a Redis, and real gateways that serve the models."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from scripts.benchmarks import questions
from scripts.benchmarks.cases import BEHIND_GRPC, UNLOGGED
from scripts.benchmarks.models import MODELS, TINY, Model
from scripts.benchmarks.processes import NotStarted, Running, free_port, process, tails
from slipway.client import AsyncSlipway, Route, Signature
from slipway.errors import SlipwayError
from slipway.supervisor.redis import find_redis

MOST_ROWS = 32
_VARIANTS = {UNLOGGED: "--unlogged", BEHIND_GRPC: "--grpc"}
_T = TypeVar("_T")
_PATIENCE_S = 90.0


@dataclass(frozen=True)
class Ours:
    """A gateway as it is sold and, where they were asked for, its variants by name; all read the same features."""

    registry: str
    gateway: Running
    variants: Mapping[str, Running]
    samples: Path | None
    """Where the gateway's samples go: a signal USR1 begins them, another one writes them."""


@asynccontextmanager
async def started(
    folder: Path, wanted: Collection[str] = (), *, sampled: bool = False, options: Sequence[str] = ()
) -> AsyncIterator[Ours]:
    """Everything up, the ``wanted`` variants too, the models loaded, the features filled. Raises NotStarted.

    ``options`` are more of the gateway's, see :mod:`scripts.benchmarks.launch`.
    """
    registry, features, redis = (f"127.0.0.1:{free_port()}" for _ in range(3))
    shared = _environment(folder, registry, features, redis)
    with ExitStack() as running:

        def run(name: str, *command: str, **variables: str) -> int:
            log = folder / f"{name}.log"
            return running.enter_context(process(command, log, shared | variables)).pid

        port = redis.rpartition(":")[2]
        roots = {
            "redis": run("redis", find_redis(), "--bind", "127.0.0.1", "--port", port, "--dir", str(folder)),
            "registry": await _service("registry", run, shared),
            "features": await _service("features", run, shared),
        }
        samples = folder / "samples.txt" if sampled else None
        ours = Ours(
            registry,
            _gateway(folder / "gateway", run, roots, *options, *(("--samples", str(samples)) if samples else ())),
            {name: _gateway(folder / name, run, roots, how) for name, how in _VARIANTS.items() if name in wanted},
            samples,
        )
        await _make_ready(ours, registry, features, folder)
        yield ours


def _environment(folder: Path, registry: str, features: str, redis: str) -> dict[str, str]:
    return {
        **os.environ,
        "SLIPWAY_DATA": str(folder),
        "SLIPWAY_EVENTS": f"sqlite:///{folder}/log.db",
        "SLIPWAY_REDIS": f"redis://{redis}/0",
        "SLIPWAY_REGISTRY_ADDRESS": registry,
        "SLIPWAY_REGISTRY_GRPC_LISTEN": registry,
        "SLIPWAY_REGISTRY_METRICS_LISTEN": "127.0.0.1:0",
        "SLIPWAY_FEATURE_SERVING_ADDRESS": features,
        "SLIPWAY_FEATURE_SERVING_GRPC_LISTEN": features,
        "SLIPWAY_FEATURE_SERVING_METRICS_LISTEN": "127.0.0.1:0",
        "SLIPWAY_INFERENCE_GATEWAY_HTTP_LISTEN": "127.0.0.1:0",
    }


async def _service(name: str, run: Callable[..., int], environment: Mapping[str, str]) -> int:
    command = str(Path(sys.executable).with_name(f"slipway-{name}"))
    quiet = asyncio.subprocess.DEVNULL
    migration = await asyncio.create_subprocess_exec(command, "migrate", env=environment, stdout=quiet)
    await migration.wait()
    return run(name, command, "serve")


def _gateway(data: Path, run: Callable[..., int], roots: Mapping[str, int], *options: str) -> Running:
    address, metrics = (f"127.0.0.1:{free_port()}" for _ in range(2))
    data.mkdir()
    command = [sys.executable, "-m", "scripts.benchmarks.launch", *options]
    variables = {
        "SLIPWAY_DATA": str(data),
        "SLIPWAY_INFERENCE_GATEWAY_GRPC_LISTEN": address,
        "SLIPWAY_INFERENCE_GATEWAY_METRICS_LISTEN": metrics,
    }
    process_id = run(data.name, *command, **variables)
    return Running(address, {"gateway": process_id, **roots}, f"http://{metrics}/metrics")


async def _make_ready(ours: Ours, registry: str, features: str, folder: Path) -> None:
    """Publish what they serve, and return when they serve it. Raises NotStarted."""
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await _publish(registry, features)
            for one in (ours.gateway, *ours.variants.values()):
                await _until_served(one.address)
    except TimeoutError:
        raise NotStarted(f"the platform did not serve within {_PATIENCE_S:.0f} s:\n{tails(folder)}") from None


async def _publish(registry: str, features: str) -> None:
    async with AsyncSlipway(registry=registry, features=features) as client:
        await _patiently(lambda: client.features.apply([questions.view(TINY)]))
        keys = [{questions.ENTITY: one} for one in questions.entities(MOST_ROWS)]
        await client.features.push(questions.VIEW, keys, questions.feature_rows(TINY, MOST_ROWS), datetime.now(UTC))
        await _patiently(lambda: client.registry.create_model("bench", owner="bench"))
        for model in MODELS:
            await _serve(client, model, model.name, questions.signature(model))
        await _serve(client, TINY, questions.reading(TINY), questions.reading_signature(TINY))
        await _serve(client, TINY, questions.canary(TINY), questions.signature(TINY), canary=10)


async def _serve(client: AsyncSlipway, model: Model, endpoint: str, signature: Signature, canary: int = 0) -> None:
    """A version, and one more as a ``canary`` that has so many of a hundred requests."""
    artifact = await client.registry.upload_artifact(model.onnx)
    weights = {"main": 100 - canary, "canary": canary}
    routes = []
    for arm, weight in weights.items():
        if weight:
            version = await client.registry.register_version("bench", artifact, signature)
            routes.append(Route(arm, "bench", version=version.number, weight=weight))
    await client.registry.put_endpoint(endpoint, routes)


async def _until_served(gateway: str) -> None:
    async with AsyncSlipway(gateway=gateway) as client:
        while True:
            served = await _patiently(client.inference.endpoints)
            if len(served) > len(MODELS) + 1 and all(arm.serving_version for one in served for arm in one.routes):
                return
            await asyncio.sleep(0.1)


async def _patiently(ask: Callable[[], Awaitable[_T]]) -> _T:
    """Ask until there is an answer: what is asked is starting."""
    while True:
        try:
            return await ask()
        except SlipwayError:
            await asyncio.sleep(0.1)
