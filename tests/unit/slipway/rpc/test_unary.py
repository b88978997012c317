"""Calls with one request and one answer, as their callers and the network treat them."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf.wrappers_pb2 import StringValue

from slipway.rpc.front import NoNativeFront
from slipway.rpc.server import Server
from slipway.rpc.settings import RpcSettings

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS, RST_STREAM, HEADERS, DATA = 4, 3, 1, 0


def frame(kind: int, payload: bytes, *, flags: int = 0, stream: int = 0) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def literal(name: bytes, value: bytes) -> bytes:
    """A header by HPACK, neither compressed nor remembered; each part is shorter than 127 bytes."""
    return b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value


def asked(path: bytes, *, kind: bytes = b"application/grpc", verb: bytes = b"POST") -> bytes:
    pairs = ((b":method", verb), (b":scheme", b"http"), (b":path", path), (b":authority", b"here"))
    return b"".join(literal(*pair) for pair in (*pairs, (b"te", b"trailers"), (b"content-type", kind)))


def block(seconds: float) -> None:
    """Keep the event loop from looking; the front's threads go on."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        pass


async def raw(wire: Any, *frames: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", wire.server.port)
    writer.write(PREFACE + frame(SETTINGS, b"") + b"".join(frames))
    await writer.drain()
    return reader, writer


async def test_a_caller_who_cancels_ends_its_call(wire: Any) -> None:
    call = wire.unary("wait")
    await wire.echo.inside.wait()
    call.cancel()
    await asyncio.wait_for(wire.echo.left.wait(), 30)
    assert await wire.say("hello") == "hello"


async def test_a_caller_who_vanishes_ends_its_call(wire: Any) -> None:
    channel: Any
    async with grpc.aio.insecure_channel(f"127.0.0.1:{wire.server.port}") as channel:
        call = channel.unary_unary("/slipway.test.v1.Echo/Say")(StringValue(value="wait").SerializeToString())
        waiting = asyncio.ensure_future(call)
        await wire.echo.inside.wait()
    await asyncio.wait_for(wire.echo.left.wait(), 30)
    with pytest.raises((grpc.aio.AioRpcError, asyncio.CancelledError)):
        await waiting


@pytest.mark.parametrize("front", ["native"], indirect=True)
async def test_callers_who_go_before_their_calls_began_leave_nothing_behind(wire: Any) -> None:
    call = StringValue(value="wait").SerializeToString()
    body = b"\0" + len(call).to_bytes(4, "big") + call
    headers, begun = asked(b"/slipway.test.v1.Echo/Say"), []
    for stream in range(1, 101, 2):
        begun += [frame(HEADERS, headers, flags=4, stream=stream), frame(DATA, body, flags=1, stream=stream)]
    _, writer = await raw(wire, *begun)
    # While nobody looks, callers come and go: both are told together.
    block(0.1)
    writer.write(b"".join(frame(RST_STREAM, bytes(4), stream=stream) for stream in range(1, 101, 2)))
    block(0.1)
    front = wire.server._front
    async with asyncio.timeout(30):
        while not await wire.say("hello") or front._running:
            await asyncio.sleep(0)
    writer.close()


async def test_a_deadline_ends_a_call(wire: Any) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await wire.unary("wait", timeout=0.2)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    await asyncio.wait_for(wire.echo.left.wait(), 30)


async def test_the_time_that_remains_is_the_callers(wire: Any) -> None:
    assert 0 < float(await wire.say("remaining", timeout=20)) < 21  # gRPC rounds up
    assert 0 < float(await wire.say("remaining", timeout=None)) <= 60


@pytest.mark.parametrize("compression", [grpc.Compression.Gzip, grpc.Compression.Deflate])
async def test_compressed_requests_are_taken(wire: Any, compression: grpc.Compression) -> None:
    text = "slipway " * 100
    assert await wire.say(text, compression=compression) == text


async def test_metadata_is_text_or_bytes(wire: Any) -> None:
    sent = (("note", "a, b"), ("data-bin", bytes(range(256))))
    assert await wire.say("metadata note", metadata=sent) == "a, b"
    assert await wire.say("metadata data-bin", metadata=sent) == str(bytes(range(256)))
    assert await wire.say("metadata grpc-timeout", metadata=sent) == "None"


@pytest.mark.parametrize("size", [0, 1, 16_379, 16_384, 70_000, 3_000_000])
async def test_messages_of_any_size(wire: Any, size: int) -> None:
    assert len(await wire.say("x" * size)) == size


async def test_many_calls_at_once_each_get_their_own_answer(wire: Any) -> None:
    texts = [f"{number}" for number in range(500)]
    assert await asyncio.gather(*(wire.say(text) for text in texts)) == texts


async def test_a_request_that_never_ends_holds_nobody_up(serve: Any) -> None:
    wire = await serve(max_deadline_s=0.3)
    cut_off = b"\0\0\0\0\x10only this"
    headers = frame(HEADERS, asked(b"/slipway.test.v1.Echo/Say"), flags=4, stream=1)
    _, writer = await raw(wire, headers, frame(DATA, cut_off, stream=1))
    assert await wire.say("hello") == "hello"
    writer.close()


@pytest.mark.parametrize(
    "junk",
    [
        b"GET / HTTP/1.1\r\nHost: here\r\n\r\n",
        bytes(range(256)) * 8,
        PREFACE + frame(SETTINGS, b"\0" * 5),
        PREFACE + frame(SETTINGS, b"") + frame(HEADERS, b"\xff" * 40, flags=4, stream=1),
        PREFACE + frame(SETTINGS, b"") + frame(DATA, b"\0" * 100, stream=7),
    ],
)
async def test_junk_ends_its_connection_alone(wire: Any, junk: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", wire.server.port)
    with contextlib.suppress(OSError):  # the server may end it at any byte
        writer.write(junk)
        await writer.drain()
        writer.write_eof()
        async with asyncio.timeout(30):
            await reader.read()
    writer.close()
    assert await wire.say("hello") == "hello"


@pytest.mark.parametrize("front", ["native"], indirect=True)  # gRPC has two minutes of patience, and no option for it
@pytest.mark.parametrize("sent", [b"", PREFACE[:5]])
async def test_who_connects_and_says_nothing_is_not_kept(serve: Any, sent: bytes) -> None:
    wire = await serve(keepalive_s=1.0)
    reader, writer = await asyncio.open_connection("127.0.0.1", wire.server.port)
    writer.write(sent)
    with contextlib.suppress(ConnectionResetError):
        async with asyncio.timeout(30):
            assert await reader.read() == b""
    writer.close()


@pytest.mark.parametrize(("kind", "verb"), [(b"text/plain", b"POST"), (b"application/grpc", b"GET")])
async def test_what_is_no_grpc_is_no_call(wire: Any, kind: bytes, verb: bytes) -> None:
    headers = asked(b"/slipway.test.v1.Echo/Say", kind=kind, verb=verb)
    _, writer = await raw(wire, frame(HEADERS, headers, flags=5, stream=1))
    assert await wire.say("hello") == "hello"
    assert not wire.echo.inside.is_set()
    writer.close()


@pytest.mark.parametrize(
    "body", [b"", b"\0\0\0\0\x02a", b"\0\0\0\0\0\0\0\0\0\0", b"\x01\0\0\0\0", b"\0\xff\xff\xff\xff"]
)
async def test_a_body_that_is_no_message_is_refused(wire: Any, body: bytes) -> None:
    headers = frame(HEADERS, asked(b"/slipway.test.v1.Echo/Say"), flags=4, stream=1)
    reader, writer = await raw(wire, headers, frame(DATA, body, flags=1, stream=1))
    async with asyncio.timeout(30):
        assert await reader.read(1)
    writer.close()
    assert await wire.say("hello") == "hello"


async def test_a_server_that_stops_takes_no_more_and_ends_what_is_idle(wire: Any) -> None:
    assert await wire.say("hello") == "hello"
    await wire.server.stop()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await wire.unary("hello", timeout=5)
    assert caught.value.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}


async def test_a_server_without_the_native_front_says_so_or_does_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "slipway_front", None)
    with pytest.raises(NoNativeFront, match="scripts/setup"):
        await Server(RpcSettings(listen="127.0.0.1:0", front="native"), []).start()
    server = Server(RpcSettings(listen="127.0.0.1:0"), [])
    await server.start()
    assert server.port
    await server.stop()
