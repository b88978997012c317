"""The proxy: a listener, its connections, and the hand that steers them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Self

from slipway.tcp_proxy.address import host_and_port, loopback
from slipway.tcp_proxy.conditions import Conditions, Counters, Direction, End
from slipway.tcp_proxy.connection import Connection, Stream
from slipway.tcp_proxy.weather import Weather


class TcpProxy:
    """Passes connections on to one address, as :class:`Conditions` have it; made by :meth:`open`."""

    def __init__(self, to: tuple[str, int], seed: int) -> None:
        self._to = to
        self._seed = seed
        self._weather = Weather()
        self._connections: dict[asyncio.Task[None], Connection] = {}
        self.address = ""

    @classmethod
    @asynccontextmanager
    async def open(cls, to: str, listen: str = "127.0.0.1:0", *, seed: int = 0) -> AsyncIterator[Self]:
        """Listen on a loopback address, port 0 for a free one, and pass on to ``to``; at the end all is reset.

        Raises InvalidInput for an address, OSError when it can't listen.
        """
        proxy = cls(host_and_port(to, "to"), seed)
        host, port = loopback(listen, "listen")
        server = await asyncio.start_server(proxy._accept, host, port)
        bound = server.sockets[0].getsockname()
        proxy.address = f"[{bound[0]}]:{bound[1]}" if ":" in bound[0] else f"{bound[0]}:{bound[1]}"
        try:
            yield proxy
        finally:
            server.close()
            await proxy._end()
            await server.wait_closed()

    @property
    def conditions(self) -> Conditions:
        """What holds now; what is set holds for open connections too, and for what is on its way."""
        return self._weather.conditions

    @conditions.setter
    def conditions(self, conditions: Conditions) -> None:
        self._weather.conditions = conditions

    @property
    def counters(self) -> Counters:
        """What was seen until now."""
        return replace(self._weather.counters, open=len(self._connections))

    def partition(self, *directions: Direction) -> None:
        """Let nothing pass in these directions, in both where none is named."""
        self.conditions = self.conditions.blocking(*(directions or ("up", "down")))

    def heal(self) -> None:
        """End the partition; what was on its way arrives."""
        self.conditions = self.conditions.blocking()

    def reset(self) -> int:
        """Send RST to both ends of every connection; how many they were."""
        connections = list(self._connections.values())
        for one in connections:
            one.reset()
        return len(connections)

    def half_open(self, keep: End = "client") -> int:
        """Break every connection at the other end, and let the end to ``keep`` not know; how many they were."""
        connections = list(self._connections.values())
        for one in connections:
            one.half_open(keep)
        return len(connections)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client: Stream = (reader, writer)
        counters = self._weather.counters
        connection = Connection(self._weather, client, self._to, f"{self._seed}/{counters.accepted}")
        counters.accepted += 1
        if self.conditions.refusing:
            counters.refused += 1
            connection.reset()
            return
        task = asyncio.create_task(connection.run())
        self._connections[task] = connection
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._connections.pop(task, None)
        if not task.cancelled() and (error := task.exception()):
            asyncio.get_running_loop().call_exception_handler(
                {"message": "a proxied connection failed", "exception": error}
            )

    async def _end(self) -> None:
        tasks = list(self._connections)
        for connection in list(self._connections.values()):
            connection.reset()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
