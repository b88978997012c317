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
    """Probe a Kafka broker by a request for its metadata: it names brokers that serve."""

    async def probe() -> str | None:
        return None if await _brokers(address) else f"Kafka on {address} does not answer a metadata request"

    return probe


def kafka_serves(address: str) -> Probe:
    """Probe a Kafka broker that tells clients of ``address``: it names itself among the brokers that serve.

    One that has just started answers for the others before it is one of them.
    """

    async def probe() -> str | None:
        brokers = await _brokers(address)
        if address in brokers:
            return None
        told = f"names {', '.join(brokers)}, not itself" if brokers else "does not answer a metadata request"
        return f"Kafka on {address} {told}"

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


async def _brokers(address: str) -> list[str]:
    """The brokers that a broker names in its metadata, each ``host:port``; none when it gives no answer."""
    answer = await _exchange(address, _METADATA_REQUEST)
    try:
        count, at, found = _int(answer, 8), 12, list[str]()  # after correlation and throttling
        for _ in range(count):
            host_end = at + 6 + _int(answer, at + 4, 2)  # after the broker's number
            found.append(f"{answer[at + 6 : host_end].decode()}:{_int(answer, host_end)}")
            at = host_end + 6 + max(0, _int(answer, host_end + 4, 2))  # after its rack
    except ValueError:
        return []
    return found


def _int(answer: bytes, at: int, size: int = 4) -> int:
    if len(answer) < at + size:
        raise ValueError
    return int.from_bytes(answer[at : at + size], signed=True)


async def _exchange(address: str, request: bytes, *, until: bytes | None = None) -> bytes:
    """The answer's first part, up to ``until``, or what its first four bytes give the size of; empty: none in time."""
    host, _, port = address.rpartition(":")
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(host, int(port))
            try:
                writer.write(request)
                if until is not None:
                    return await reader.readuntil(until)
                return await reader.readexactly(int.from_bytes(await reader.readexactly(4)))
            finally:
                writer.close()
    except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return b""
