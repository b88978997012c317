"""gRPC and Redis through the proxy: what their clients make of a bad network."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as Unconnected

from slipway.rpc.server import Server
from slipway.rpc.settings import RpcSettings
from slipway.supervisor.ports import free_port
from slipway.supervisor.redis import find_redis
from slipway.tcp_proxy import Conditions, Link, TcpProxy

PATIENCE_S = 30.0


@pytest.fixture
async def health() -> AsyncIterator[tuple[TcpProxy, health_pb2_grpc.HealthStub]]:
    """Health of a server behind a proxy."""
    server = Server(RpcSettings(listen="127.0.0.1:0"), [])
    await server.start()
    try:
        async with (
            asyncio.timeout(PATIENCE_S),
            TcpProxy.open(f"127.0.0.1:{server.port}") as proxy,
            grpc.aio.insecure_channel(proxy.address) as channel,
        ):
            yield proxy, health_pb2_grpc.HealthStub(channel)
    finally:
        await server.stop()


async def code(stub: health_pb2_grpc.HealthStub, **options: float | bool) -> grpc.StatusCode:
    try:
        await stub.Check(health_pb2.HealthCheckRequest(), **options)
    except grpc.aio.AioRpcError as error:
        return error.code()
    return grpc.StatusCode.OK


async def test_grpc_meets_a_deadline_in_a_partition_and_the_same_channel_serves_after_it(
    health: tuple[TcpProxy, health_pb2_grpc.HealthStub],
) -> None:
    proxy, stub = health
    assert await code(stub, timeout=PATIENCE_S) is grpc.StatusCode.OK
    proxy.partition("down")
    assert await code(stub, timeout=0.1) is grpc.StatusCode.DEADLINE_EXCEEDED
    proxy.heal()
    assert await code(stub, timeout=PATIENCE_S) is grpc.StatusCode.OK
    assert proxy.counters.accepted == 1


async def test_grpc_hears_of_a_reset_and_connects_again(
    health: tuple[TcpProxy, health_pb2_grpc.HealthStub],
) -> None:
    proxy, stub = health
    assert await code(stub, timeout=PATIENCE_S) is grpc.StatusCode.OK
    proxy.partition("down")
    asked = asyncio.create_task(code(stub, timeout=PATIENCE_S))
    passed = proxy.counters.bytes_up
    while proxy.counters.bytes_up == passed:
        await asyncio.sleep(0)
    assert proxy.reset() == 1
    assert await asked is grpc.StatusCode.UNAVAILABLE
    proxy.heal()
    assert await code(stub, timeout=PATIENCE_S, wait_for_ready=True) is grpc.StatusCode.OK
    assert proxy.counters.accepted == 2


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[str]:
    address = f"127.0.0.1:{(port := free_port())}"
    command = [find_redis(), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(tmp_path), "--save", ""]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert any(b"eady to accept connections" in line for line in process.stdout)
        yield address
        process.kill()


async def test_redis_loses_no_answered_write_to_a_bad_network(redis_server: str) -> None:
    async with asyncio.timeout(PATIENCE_S), TcpProxy.open(redis_server, seed=1) as proxy:
        redis = Redis.from_url(f"redis://{proxy.address}", retry=Retry(NoBackoff(), 0))
        async with redis:
            proxy.conditions = Conditions.both(Link(loss=0.1, retransmit_s=0.001, cut=0.05))
            answered = []
            for number in range(100):
                try:
                    await redis.set(str(number), number)
                    answered.append(number)
                except Unconnected:
                    continue
            proxy.conditions = Conditions()
            kept = {int(name) for name in await redis.keys()}
        assert 0 < len(answered) < 100
        # A write without an answer may be there or not: its RST may have met the question or the answer.
        assert kept >= set(answered)
        assert proxy.counters.resets >= 100 - len(answered)
