from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from slipway.supervisor.health import kafka_answers, kafka_serves


def metadata(*brokers: tuple[str, int]) -> bytes:
    """An answer to a request for metadata, version 4: brokers with and without a rack, then what nobody reads."""
    body = bytes(8) + len(brokers).to_bytes(4)
    for node, (host, port) in enumerate(brokers, 1):
        rack = (-1).to_bytes(2, signed=True) if node % 2 else (2).to_bytes(2) + b"r1"
        body += node.to_bytes(4) + len(host).to_bytes(2) + host.encode() + port.to_bytes(4) + rack
    body += bytes(10)
    return len(body).to_bytes(4) + body


@asynccontextmanager
async def broker(*others: tuple[str, int], itself: bool, cut: int | None = None) -> AsyncIterator[str]:
    """Something that answers as a broker does; its address."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(4)
        port = writer.get_extra_info("sockname")[1]
        writer.write(metadata(*others, *([("127.0.0.1", port)] if itself else []))[:cut])
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_a_broker_serves_once_it_names_itself() -> None:
    async with broker(("127.0.0.1", 1), ("other.example", 9092), itself=True) as address:
        assert await kafka_serves(address)() is None
        assert await kafka_answers(address)() is None


async def test_a_broker_that_names_others_only_answers_and_does_not_serve() -> None:
    async with broker(("127.0.0.1", 1), itself=False) as address:
        assert await kafka_answers(address)() is None
        assert await kafka_serves(address)() == f"Kafka on {address} names 127.0.0.1:1, not itself"


@pytest.mark.parametrize("cut", [0, 3, 20, None])
async def test_what_names_no_broker_does_not_answer(cut: int | None) -> None:
    async with broker(itself=cut is not None, cut=cut) as address:
        for probe in (kafka_answers(address), kafka_serves(address)):
            assert await probe() == f"Kafka on {address} does not answer a metadata request"
