"""Asking a unit whether it serves. Each probe returns None when it does, else what is wrong, in words."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import grpc
from grpc_health.v1 import health_pb2

Probe = Callable[[], Awaitable[str | None]]

_TIMEOUT_S = 5.0
# A fresh connection each time: a probe must also see that new callers are let in.
_OPTIONS = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_http_proxy", 0)]
_SERVING = health_pb2.HealthCheckResponse.SERVING
# Size, then the header (Metadata, version 4, correlation 1, client "slipway"), then no topics, and none to be made.
_METADATA_REQUEST = bytes.fromhex("00000016 0003 0004 00000001 0007") + b"slipway" + bytes.fromhex("00000000 00")


def grpc_serves(address: str) -> Probe:
    """Probe ``grpc.health.v1`` for the whole server (service "")."""

    async def probe() -> str | None:
        async with grpc.aio.insecure_channel(address, options=_OPTIONS) as channel:
            check = channel.unary_unary(
                "/grpc.health.v1.Health/Check",
                request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
                response_deserializer=health_pb2.HealthCheckResponse.FromString,
            )
            try:
                answer = await check(health_pb2.HealthCheckRequest(), timeout=_TIMEOUT_S)
            except grpc.aio.AioRpcError as error:
                return f"its health check on {address} fails: {error.code().name}"
        if answer.status == _SERVING:
            return None
        name = health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)
        return f"its health check on {address} answers {name}"

    return probe


def redis_answers(address: str) -> Probe:
    """Probe a Redis by PING."""

    async def probe() -> str | None:
        answer = await _exchange(address, b"PING\r\n", until=b"\r\n")
        return None if answer == b"+PONG\r\n" else f"Redis on {address} does not answer PING"

    return probe


def kafka_answers(address: str) -> Probe:
    """Probe a Kafka broker by a request for its metadata: it names the brokers that serve."""

    async def probe() -> str | None:
        answer = await _exchange(address, _METADATA_REQUEST, until=16)  # size, correlation, throttling, brokers
        if len(answer) == 16 and int.from_bytes(answer[12:]) > 0:
            return None
        return f"Kafka on {address} does not answer a metadata request"

    return probe


def postgres_answers(url: str) -> Probe:
    """Probe a PostgreSQL by SELECT 1."""

    async def probe() -> str | None:
        import psycopg  # noqa: PLC0415  (the embedded profile needs none)

        try:
            async with await psycopg.AsyncConnection.connect(url, connect_timeout=int(_TIMEOUT_S)) as connection:
                await connection.execute("SELECT 1")
        except psycopg.Error as error:
            return f"PostgreSQL on {url.rpartition('@')[2]} does not answer SELECT 1 ({type(error).__name__})"
        return None

    return probe


def http_ok(*pages: tuple[str, str]) -> Probe:
    """Probe pages, each an address and a path, for status 200."""

    async def probe() -> str | None:
        for address, path in pages:
            request = f"GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n".encode()
            answer = await _exchange(address, request, until=b"\r\n")
            if b" 200 " not in answer:
                return f"http://{address}{path} does not answer 200"
        return None

    return probe


async def _exchange(address: str, request: bytes, *, until: bytes | int) -> bytes:
    """The answer's first part: up to ``until``, or so many bytes; empty when there is none in time."""
    host, _, port = address.rpartition(":")
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(host, int(port))
            try:
                writer.write(request)
                return await (reader.readexactly(until) if isinstance(until, int) else reader.readuntil(until))
            finally:
                writer.close()
    except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return b""
