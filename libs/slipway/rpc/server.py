"""A gRPC server with everything that each of Slipway's servers owes its callers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

import grpc.aio
from grpc_health.v1 import health, health_pb2
from grpc_health.v1.health import aio as health_aio  # type: ignore[attr-defined]  # the stubs lack it
from grpc_reflection.v1alpha import reflection, reflection_pb2
from grpc_reflection.v1alpha.reflection import aio as reflection_aio  # type: ignore[attr-defined]

from slipway.lifecycle import PortTaken, require_free
from slipway.rpc.front import Listening, front
from slipway.rpc.handlers import Handlers, Service, foreign, service
from slipway.rpc.room import Room
from slipway.rpc.settings import RpcSettings
from slipway.rpc.telemetry import Telemetry

__all__ = ["PortTaken", "Server", "Service", "service"]
log = logging.getLogger(__name__)

# For statuses that are on their way when the drain has ended.
_LAST_WORDS_S = 0.5

_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class Server:
    """Serves ``services`` on one loopback address until stopped.

    Health answers NOT_SERVING until :meth:`start` returned and :meth:`set_ready` allows, and again from the
    moment :meth:`stop` begins; then open streams end with UNAVAILABLE, running calls get the grace, and
    whatever is left is cancelled.
    """

    def __init__(
        self, settings: RpcSettings, services: Sequence[Service], *, ready: bool = True, room: Room | None = None
    ) -> None:
        """``room`` is for a server whose callers have shares in it; else it is of the size that ``settings`` say."""
        room = room or Room(settings.max_concurrent_calls, settings.max_pending_bytes)
        self._settings = settings
        self._health = health_aio.HealthServicer()
        self._ready = ready
        self._serving = False
        self._handlers = Handlers(settings.max_deadline_s, room, Telemetry())
        self._names = [entry.descriptor.full_name for entry in services]
        self._services = [*services, *self._standard()]
        self._front: Listening | None = None
        self.port = 0

    def _standard(self) -> list[Service]:
        names = [*self._names, health.SERVICE_NAME, reflection.SERVICE_NAME]
        return [
            foreign(health_pb2.DESCRIPTOR.services_by_name["Health"], self._health),
            foreign(
                reflection_pb2.DESCRIPTOR.services_by_name["ServerReflection"],
                reflection_aio.ReflectionServicer(names),  # type: ignore[attr-defined]
            ),
        ]

    async def start(self) -> None:
        """Listen. Raises :class:`PortTaken` when the address is in use, and NoNativeFront."""
        # gRPC's core writes lines of its own about a port in use.
        require_free("listen", self._settings.listen, "rpc.listen")
        self._front = self._made_front()
        try:
            self.port = await self._front.start()
        except (OSError, RuntimeError) as error:
            raise PortTaken("listen", self._settings.listen, "rpc.listen") from error
        self._serving = True
        await self._announce()
        log.info("listening", extra={"port": self.port, "services": self._names})

    async def set_ready(self, ready: bool) -> None:
        """Say by health whether calls should come here."""
        self._ready = ready
        await self._announce()

    async def stop(self) -> None:
        """Drain within the grace, then close."""
        if self._front is None:
            return
        self._serving = False
        await self._announce()
        self._handlers.drain()
        # Before gRPC itself stops: it would answer a call that arrives meanwhile with CANCELLED, which nobody retries.
        await self._handlers.finished(self._settings.grace_s)
        await self._front.stop(_LAST_WORDS_S)
        # grpc.aio frees its sockets in its own thread; one turn of the loop lets it finish.
        await asyncio.sleep(0)

    @property
    def open_streams(self) -> int:
        """How many streams are being answered, those of health and reflection too."""
        return self._handlers.open_streams

    def _made_front(self) -> Listening:
        server = _grpc_server(self._settings)
        server.add_generic_rpc_handlers(tuple(self._handlers.of(entry) for entry in self._services))
        handlers, services = self._handlers, self._services
        return front(server, self._settings, handlers.unary(services), handlers.bundles(services))

    async def _announce(self) -> None:
        state = _SERVING if self._ready and self._serving else _NOT_SERVING
        for name in ("", *self._names):
            await self._health.set(name, state)


def _grpc_server(settings: RpcSettings) -> grpc.aio.Server:
    limit, alive_ms = settings.max_message_bytes, int(settings.keepalive_s * 1_000)
    return grpc.aio.server(
        options=[
            ("grpc.max_receive_message_length", limit),
            ("grpc.max_send_message_length", limit),
            ("grpc.max_metadata_size", 16 * 1024),
            ("grpc.so_reuseport", 0),
            ("grpc.keepalive_time_ms", alive_ms),
            ("grpc.http2.ping_timeout_ms", alive_ms // 3),
            # A stream that has nothing to tell for hours is asked all the while.
            ("grpc.http2.max_pings_without_data", 0),
            # Of one connection. gRPC's own bound on all of them would refuse health too, and could not say why.
            ("grpc.max_concurrent_streams", 2 * settings.max_concurrent_calls),
        ],
    )
