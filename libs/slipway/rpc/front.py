"""What listens for callers: gRPC itself, or the native front before it."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import Protocol

import grpc.aio

from slipway.errors import Kind, SlipwayError
from slipway.rpc.bundles import Bundles
from slipway.rpc.native import NativeFront, Unary
from slipway.rpc.settings import RpcSettings


class Listening(Protocol):
    """A front: started once, stopped once."""

    async def start(self) -> int:
        """Listen; the port. Raises OSError, RuntimeError when the address is in use."""
        ...

    async def stop(self, patience_s: float) -> None:
        """Take no more connections, ask callers to leave, and close what is still open after that long."""
        ...


class NoNativeFront(SlipwayError):
    """The configuration asks for the native front, and it is not installed."""

    kind = Kind.FAILED_PRECONDITION
    reason = "NO_NATIVE_FRONT"

    def __init__(self) -> None:
        super().__init__(
            'rpc.front is "native", but slipway-front is not installed; install Rust, run scripts/setup, or set "auto"'
        )


def native_is_there() -> bool:
    """Whether the native front is installed."""
    return importlib.util.find_spec("slipway_front") is not None


class GrpcFront:
    """grpc.aio, for all methods."""

    def __init__(self, server: grpc.aio.Server, settings: RpcSettings) -> None:
        self._server = server
        self._settings = settings

    async def start(self) -> int:
        """See Listening."""
        port = self._server.add_insecure_port(self._settings.listen)
        await self._server.start()
        return port

    async def stop(self, patience_s: float) -> None:
        """See Listening."""
        await self._server.stop(patience_s)


def front(
    server: grpc.aio.Server, settings: RpcSettings, unary: Mapping[str, Unary], bundles: Mapping[str, Bundles]
) -> Listening:
    """What the settings ask for. Raises NoNativeFront.

    ``unary`` are the handlers that need no gRPC, by path, and ``bundles`` those that answer several calls at once.
    """
    there = native_is_there()
    if settings.front == "native" and not there:
        raise NoNativeFront
    if not there or settings.front == "grpc":
        return GrpcFront(server, settings)
    return NativeFront(server, settings, unary, bundles)
