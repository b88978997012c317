"""One direction of one connection."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from dataclasses import dataclass

from slipway.tcp_proxy.conditions import Direction, Link
from slipway.tcp_proxy.weather import Weather

_CHUNK_BYTES = 64 * 1024
_ON_THE_WAY_BYTES = 1024 * 1024
# Of a slow link a chunk is what passes in this time, so that bytes trickle.
_TRICKLE_S = 0.05


class Cut(ConnectionError):
    """The connection is given up."""


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Bytes that were read at the loop's time ``read_at``; none is the end. Its luck was drawn then."""

    data: bytes
    read_at: float
    luck: float
    lost: bool

    def due(self, link: Link) -> float:
        """When it has arrived, as the link is now."""
        held_s = link.retransmit_s if self.lost else 0.0
        return self.read_at + link.latency_s + self.luck * link.jitter_s + held_s


class Pump:
    """Reads one end, lets what it read wait as conditions have it, writes it to the other."""

    def __init__(self, weather: Weather, direction: Direction, dice: random.Random) -> None:
        self._weather = weather
        self._direction = direction
        self._dice = dice
        self._chunks: deque[_Chunk] = deque()
        self._bytes = 0
        self._moved = asyncio.Event()
        self._free_at = 0.0

    async def run(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Return when the end of the stream was passed on. Raises Cut, OSError when the connection is over."""
        reading = asyncio.create_task(self._read(reader))
        reading.add_done_callback(lambda _: self._moved.set())
        try:
            await self._write(reading, writer)
        finally:
            reading.cancel()
            await asyncio.wait({reading})

    @property
    def _link(self) -> Link:
        return self._weather.conditions.link(self._direction)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        loop = asyncio.get_running_loop()
        while True:
            while self._bytes >= _ON_THE_WAY_BYTES:
                await self._move()
            link = self._link
            size = _CHUNK_BYTES
            if link.bytes_per_s is not None:
                size = max(1, min(size, int(link.bytes_per_s * _TRICKLE_S)))
            data = await reader.read(size)
            # Each is drawn every time, so that one condition does not change the luck of another.
            luck, lost, cut = self._dice.random(), self._dice.random(), self._dice.random()
            link = self._link
            if cut < link.cut:
                raise Cut
            lost_now = lost < link.loss
            self._weather.counters.lost_chunks += lost_now
            self._chunks.append(_Chunk(data, loop.time(), luck, lost_now))
            self._bytes += len(data)
            self._moved.set()
            if not data:
                return

    async def _write(self, reading: asyncio.Task[None], writer: asyncio.StreamWriter) -> None:
        while True:
            while not self._chunks:
                if reading.done():
                    # It ended without an end of the stream: the error is this connection's, once it could arrive.
                    await self._open()
                    reading.result()
                await self._move()
            chunk = self._chunks[0]
            await self._arrived(chunk)
            self._chunks.popleft()
            self._bytes -= len(chunk.data)
            self._moved.set()
            if not chunk.data:
                writer.write_eof()
                return
            writer.write(chunk.data)
            self._count(len(chunk.data))
            await writer.drain()

    async def _arrived(self, chunk: _Chunk) -> None:
        """Return when a chunk may be passed on."""
        loop = asyncio.get_running_loop()
        while True:
            link = self._link
            due = max(chunk.due(link), self._free_at)
            if not chunk.data:
                due += link.close_delay_s
            elif link.bytes_per_s is not None:
                due += len(chunk.data) / link.bytes_per_s
            wait_s = due - loop.time()
            if wait_s <= 0 and not link.blocked:
                self._free_at = due if link.bytes_per_s is not None else 0.0
                return
            await self._weather.change(None if link.blocked else wait_s)

    async def _open(self) -> None:
        while self._link.blocked:
            await self._weather.change()

    async def _move(self) -> None:
        """Return when a chunk came or went, or reading has ended. Reader and writer never both wait here."""
        self._moved.clear()
        await self._moved.wait()

    def _count(self, size: int) -> None:
        if self._direction == "up":
            self._weather.counters.bytes_up += size
        else:
            self._weather.counters.bytes_down += size
