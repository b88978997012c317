"""One connection through the proxy: two sockets and what goes between them."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from contextlib import suppress

from slipway.tcp_proxy.conditions import End
from slipway.tcp_proxy.pump import Cut, Pump
from slipway.tcp_proxy.weather import Weather

# Closing a socket that lingers for no time sends RST, and drops what was to be sent.
_NO_LINGER = struct.pack("ii", 1, 0)
_SWALLOW_BYTES = 64 * 1024

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Connection:
    """Carries one accepted connection until both directions have ended, or it is broken."""

    def __init__(self, weather: Weather, client: Stream, server: tuple[str, int], seed: str) -> None:
        self._weather = weather
        self._client = client
        self._address = server
        self._server: Stream | None = None
        self._seed = seed
        self._orphan: End | None = None
        self._passing: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Return when it is over; both sockets are closed then."""
        try:
            await self._connect()
            if self._server is not None:
                await self._pass_on(self._client, self._server)
        finally:
            for stream in (self._client, self._server):
                if stream is not None:
                    stream[1].close()

    def reset(self) -> None:
        """Send RST to both ends."""
        self._weather.counters.resets += 1
        for stream in (self._client, self._server):
            if stream is not None:
                _reset(stream)

    def half_open(self, keep: End) -> None:
        """Send RST to the other end, and let the end to ``keep`` believe that it is connected."""
        if self._passing is not None and self._orphan is None:
            self._orphan = keep
            self._passing.cancel()

    async def _connect(self) -> None:
        while self._weather.conditions.up.blocked or self._weather.conditions.down.blocked:
            await self._weather.change()
        try:
            self._server = await asyncio.open_connection(*self._address)
        except OSError:
            self._weather.counters.unreachable += 1
            _reset(self._client)

    async def _pass_on(self, client: Stream, server: Stream) -> None:
        self._passing = asyncio.create_task(self._both(client, server))
        try:
            await self._passing
        except asyncio.CancelledError:
            self._passing.cancel()
            if self._orphan is None:
                raise
            kept, gone = (client, server) if self._orphan == "client" else (server, client)
            self._weather.counters.resets += 1
            _reset(gone)
            await _swallow(kept)

    async def _both(self, client: Stream, server: Stream) -> None:
        up = Pump(self._weather, "up", random.Random(f"{self._seed}/up"))  # noqa: S311  (luck, not secrets)
        down = Pump(self._weather, "down", random.Random(f"{self._seed}/down"))  # noqa: S311
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(up.run(client[0], server[1]))
                group.create_task(down.run(server[0], client[1]))
        except* Cut:
            self.reset()
        except* OSError:
            # One end is gone without a farewell, and the other hears of it the same way.
            for stream in (client, server):
                _reset(stream)


async def _swallow(kept: Stream) -> None:
    with suppress(OSError):
        while await kept[0].read(_SWALLOW_BYTES):
            pass


def _reset(stream: Stream) -> None:
    transport = stream[1].transport
    raw = transport.get_extra_info("socket")
    if raw is not None and not transport.is_closing():
        with suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    transport.abort()
