"""The gateway against a bare gRPC server and a bare ONNX Runtime loop: one row of 15 columns, 4 of them texts."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import grpc.aio

from scripts.benchmarks import bare_server, columns
from scripts.benchmarks.load import Measured, measure, measure_here
from slipway.client import AsyncSlipway, Route
from slipway.errors import SlipwayError
from slipway.supervisor.redis import find_redis

PREDICT = "/slipway.inference.v1.InferenceService/Predict"
CONCURRENCIES = (1, 32)
PEER = "bare gRPC"
_PATIENCE_S = 60.0


async def measure_all(seconds: float) -> list[Measured]:
    """Every case, one after the other."""
    session, feeds = bare_server.session(columns.model()), columns.feeds()
    found = [measure_here("bare ONNX Runtime", lambda: session.run(["p"], feeds), seconds)]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        with _bare(folder) as address:
            found += await _cases(address, [(PEER, bare_server.METHOD, columns.infer_request())], seconds)
        async with _gateway(folder) as address:
            cases = [
                ("gateway ModelInfer", bare_server.METHOD, columns.infer_request()),
                ("gateway Predict", PREDICT, columns.predict_request()),
                ("gateway by keys", PREDICT, columns.keys_request()),
                ("gateway 50 by keys", PREDICT, columns.keys_request(50)),
            ]
            found += await _cases(address, cases, seconds)
    return found


async def _cases(address: str, cases: Sequence[tuple[str, str, bytes]], seconds: float) -> list[Measured]:
    async with grpc.aio.insecure_channel(address) as channel:
        bytes_to: Any = channel.unary_unary
        return [
            await measure(name, partial(bytes_to(method), data), concurrency, seconds)
            for name, method, data in cases
            for concurrency in CONCURRENCIES
        ]


@contextmanager
def _bare(folder: Path) -> Iterator[str]:
    (folder / "model.onnx").write_bytes(columns.model())
    command = [sys.executable, "-m", "scripts.benchmarks.bare_server", str(folder / "model.onnx")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        port = int(server.stdout.readline()) if server.stdout else 0
        try:
            yield f"127.0.0.1:{port}"
        finally:
            server.communicate()


@asynccontextmanager
async def _gateway(folder: Path) -> AsyncIterator[str]:
    """A real registry, a real feature store on a Redis, and a real gateway that serves the model."""
    registry, gateway, features = (f"127.0.0.1:{_free_port()}" for _ in range(3))
    redis = _free_port()
    environment = {
        **os.environ,
        "SLIPWAY_DATA": str(folder),
        "SLIPWAY_EVENTS": f"sqlite:///{folder}/log.db",
        "SLIPWAY_REGISTRY_ADDRESS": registry,
        "SLIPWAY_REGISTRY_GRPC_LISTEN": registry,
        "SLIPWAY_REGISTRY_METRICS_LISTEN": "127.0.0.1:0",
        "SLIPWAY_REDIS": f"redis://127.0.0.1:{redis}/0",
        "SLIPWAY_FEATURE_SERVING_ADDRESS": features,
        "SLIPWAY_FEATURE_SERVING_GRPC_LISTEN": features,
        "SLIPWAY_FEATURE_SERVING_METRICS_LISTEN": "127.0.0.1:0",
        "SLIPWAY_INFERENCE_GATEWAY_GRPC_LISTEN": gateway,
        "SLIPWAY_INFERENCE_GATEWAY_HTTP_LISTEN": "127.0.0.1:0",
        "SLIPWAY_INFERENCE_GATEWAY_METRICS_LISTEN": "127.0.0.1:0",
    }
    with _redis(folder, redis), _services(environment):
        client = AsyncSlipway(registry=registry, gateway=gateway, features=features)
        async with asyncio.timeout(_PATIENCE_S), client:
            await _fill_store(client)
            await _serve_model(client)
        yield gateway


@contextmanager
def _services(environment: dict[str, str]) -> Iterator[None]:
    for name in ("registry", "features"):
        subprocess.run([_command(name), "migrate"], env=environment, check=True, capture_output=True)
    with ExitStack() as running:
        for name in ("registry", "features", "gateway"):
            command = [_command(name), "serve"]
            process = running.enter_context(subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL))
            running.callback(process.terminate)
        yield


@contextmanager
def _redis(folder: Path, port: int) -> Iterator[None]:
    command = [find_redis(), "--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder), "--save", ""]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()


async def _fill_store(client: AsyncSlipway) -> None:
    while True:
        try:
            await client.features.apply([columns.view()])
            await client.features.push("bench", [{"flight": "UA1"}], [columns.feature_row()], datetime.now(UTC))
            return
        except SlipwayError:
            await asyncio.sleep(0.1)  # it starts


async def _serve_model(client: AsyncSlipway) -> None:
    while True:
        try:
            await client.registry.create_model("bench", owner="bench")
            break
        except SlipwayError:
            await asyncio.sleep(0.1)  # it starts
    artifact = await client.registry.upload_artifact(columns.model())
    for endpoint in (columns.ENDPOINT, columns.READING):
        signature = columns.signature(read=endpoint == columns.READING)
        version = await client.registry.register_version("bench", artifact, signature)
        await client.registry.put_endpoint(endpoint, [Route("main", "bench", version=version.number)])
    while True:
        try:
            served = await client.inference.endpoints()
            if len(served) > 1 and all(arm.serving_version for one in served for arm in one.routes):
                return
        except SlipwayError:
            await asyncio.sleep(0.1)  # it starts


def _command(name: str) -> str:
    return str(Path(sys.executable).with_name(f"slipway-{name}"))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _ratios(found: Sequence[Measured]) -> list[dict[str, Any]]:
    """Each case with its ratios to the bare gRPC server at the same concurrency."""
    peers = {one.concurrency: one for one in found if one.name == PEER}
    return [
        {
            **asdict(one),
            "p50_to_peer": one.p50_ms / peers[one.concurrency].p50_ms,
            "rate_to_peer": one.requests_per_s / peers[one.concurrency].requests_per_s,
        }
        for one in found
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="scripts/bench gateway", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--seconds", type=float, default=5.0, help="seconds a case (default 5)")
    given = parser.parse_args()
    rows = _ratios(asyncio.run(measure_all(given.seconds)))
    if given.json:
        print(json.dumps({"vcpus": os.cpu_count(), "python": platform.python_version(), "cases": rows}, indent=2))
        return
    print(f"{os.cpu_count()} vCPU; callers, servers and worker share them; ratios are to {PEER!r}")
    print(
        f"{'case':<20} {'callers':>7} {'p50 ms':>8} {'p99 ms':>8} {'req/s':>8} {'p50 x':>6} {'rate x':>6} {'failed':>6}"
    )
    for row in rows:
        print(
            "{name:<20} {concurrency:>7} {p50_ms:>8.3f} {p99_ms:>8.3f} {requests_per_s:>8.0f}"
            " {p50_to_peer:>6.2f} {rate_to_peer:>6.2f} {failed:>6}".format(**row)
        )


if __name__ == "__main__":
    main()
