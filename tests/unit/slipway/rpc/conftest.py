"""A contract made for these tests, a servicer that does as it is told, and a server of both."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, wrappers_pb2
from google.protobuf.descriptor import ServiceDescriptor

from slipway.errors import Exhausted, invalid_field
from slipway.rpc import deadline, status
from slipway.rpc.call import Call
from slipway.rpc.front import native_is_there
from slipway.rpc.server import Server, service
from slipway.rpc.settings import RpcSettings

Text = wrappers_pb2.StringValue
NAME = "slipway.test.v1.Echo"
PATIENCE_S = 30.0


def _contract() -> ServiceDescriptor:
    file = descriptor_pb2.FileDescriptorProto(
        name="slipway/test/v1/echo.proto", package="slipway.test.v1", syntax="proto3"
    )
    file.dependency.append("google/protobuf/wrappers.proto")
    echo = file.service.add(name="Echo")
    for name, client, server in (("Say", 0, 0), ("Count", 0, 1), ("Join", 1, 0), ("Talk", 1, 1)):
        text = ".google.protobuf.StringValue"
        echo.method.add(
            name=name, input_type=text, output_type=text, client_streaming=bool(client), server_streaming=bool(server)
        )
    pool = descriptor_pool.Default()
    pool.AddSerializedFile(file.SerializeToString())
    return pool.FindServiceByName(NAME)


CONTRACT = _contract()


@dataclass
class Echo:
    """Answers by what it is told; ``gate`` holds up whoever says wait."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    inside: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)

    async def Say(self, request: Any, call: Call) -> Any:  # noqa: N802 - the contract's name
        match request.value.split():
            case ["defect"]:
                raise RuntimeError("password=hunter2 in the driver's text")
            case ["refuse"]:
                raise invalid_field("value", "is refuse; say something else")
            case ["full"]:
                raise Exhausted("no room", facts={"limit": "1"}, retry_after_s=1.5)
            case ["wait"]:
                self.inside.set()
                try:
                    await self.gate.wait()
                finally:
                    self.left.set()
            case ["remaining"]:
                return Text(value=repr(deadline.within(1e9)))
            case ["metadata", key]:
                return Text(value=str(call.metadata.get(key)))
            case ["trace"]:
                return Text(value=call.trace_id)
        return request

    async def Count(self, request: Any, call: Call) -> AsyncIterator[Any]:  # noqa: N802 - the contract's name
        try:
            if request.value == "remaining":
                yield Text(value=str(call.remaining_s))
                return
            if request.value == "defect":
                yield Text(value="one")
                raise RuntimeError("password=hunter2")
            number = 0
            while True:
                yield Text(value=f"{number}")
                number += 1
                if request.value == "one":
                    await self.gate.wait()
        finally:
            self.left.set()

    async def Join(self, requests: AsyncIterator[Any], call: Call) -> Any:  # noqa: N802 - the contract's name
        return Text(value="".join([request.value async for request in requests]))

    async def Talk(self, requests: AsyncIterator[Any], call: Call) -> AsyncIterator[Any]:  # noqa: N802 - the contract's name
        async for request in requests:
            yield request


@dataclass
class Wire:
    """A running server, its servicer and a channel to it."""

    server: Server
    echo: Echo
    channel: Any

    def unary(self, text: str | bytes, *, method: str = "Say", service: str = NAME, **options: Any) -> Any:
        data = text if isinstance(text, bytes) else Text(value=text).SerializeToString()
        options.setdefault("timeout", PATIENCE_S)
        return self.channel.unary_unary(f"/{service}/{method}")(data, **options)

    async def say(self, text: str | bytes, **options: Any) -> str:
        try:
            return Text.FromString(await self.unary(text, **options)).value
        except grpc.aio.AioRpcError as error:
            raise told(error) from None

    def count(self, text: str = "", timeout: float | None = PATIENCE_S) -> Any:
        return self.channel.unary_stream(f"/{NAME}/Count")(Text(value=text).SerializeToString(), timeout=timeout)


def told(error: grpc.aio.AioRpcError) -> Exception:
    pairs: Any = error.trailing_metadata() or ()
    return status.decode(error.code(), error.details() or "", tuple(pairs))


Serve = Callable[..., Any]


@pytest.fixture(params=["native", "grpc"])
def front(request: pytest.FixtureRequest) -> str:
    """What takes calls in: every server must be the same behind each."""
    if request.param == "native" and not native_is_there() and not os.environ.get("CI"):
        pytest.skip("the native front is not built: it needs cargo, see scripts/setup")
    return str(request.param)


@pytest.fixture
async def serve(front: str) -> AsyncIterator[Serve]:
    """Starts servers with other settings; all are stopped at the end."""
    async with AsyncExitStack() as ending:

        @asynccontextmanager
        async def serving(**changes: Any) -> AsyncIterator[Wire]:
            settings = RpcSettings(**{"listen": "127.0.0.1:0", "grace_s": 5.0, "front": front, **changes})
            echo = Echo()
            server = Server(settings, [service(CONTRACT, echo)])
            await server.start()
            try:
                async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
                    yield Wire(server, echo, channel)
            finally:
                await server.stop()

        yield lambda **changes: ending.enter_async_context(serving(**changes))


@pytest.fixture
async def wire(serve: Serve) -> Wire:
    return await serve()  # type: ignore[no-any-return]


@pytest.fixture
def tell() -> Any:
    return told
