"""Many requests of one caller at once, within bounds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Generic, NamedTuple, TypeVar

from google.protobuf.message import Message

Q = TypeVar("Q", bound=Message)
A = TypeVar("A", bound=Message)

_MOST_REQUESTS = 256
_MOST_BYTES = 64 * 1024 * 1024


class _Done(NamedTuple, Generic[A]):
    answer: A
    size_bytes: int


class InFlight(Generic[Q, A]):
    """Answers a stream's requests as they come, each as soon as it is ready.

    At most ``most_requests`` of them, and about ``most_bytes``, are in it until their answers are taken. Beyond that
    nothing is read: a caller who sends faster than answers come, or takes none, is held up by the transport. ``answer``
    must not raise but for being cancelled: what is wrong with one request is in its answer.
    """

    def __init__(
        self,
        answer: Callable[[Q], Awaitable[A]],
        *,
        most_requests: int = _MOST_REQUESTS,
        most_bytes: int = _MOST_BYTES,
    ) -> None:
        self._answer = answer
        self._most_requests = most_requests
        self._most_bytes = most_bytes
        self._done: asyncio.Queue[_Done[A] | None] = asyncio.Queue()
        self._room = asyncio.Event()
        self._requests = 0
        self._bytes = 0

    async def answers(self, requests: AsyncIterator[Q]) -> AsyncIterator[A]:
        """Every request's answer; then raises what ended the requests, if it was not their end."""
        reading = asyncio.create_task(self._read(requests), name="read a stream")
        try:
            while (done := await self._done.get()) is not None:
                yield done.answer
                self._requests -= 1
                self._bytes -= done.size_bytes
                self._room.set()
            await reading
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _read(self, requests: AsyncIterator[Q]) -> None:
        failure: Exception | None = None
        try:
            async with asyncio.TaskGroup() as running:
                try:
                    async for request in requests:
                        running.create_task(self._one(request, await self._enter(request.ByteSize())))
                except Exception as error:
                    # Those that came before it are answered all the same.
                    failure = error
        finally:
            self._done.put_nowait(None)
        if failure is not None:
            raise failure

    async def _one(self, request: Q, size_bytes: int) -> None:
        self._done.put_nowait(_Done(await self._answer(request), size_bytes))

    async def _enter(self, size_bytes: int) -> int:
        while self._requests and (self._requests >= self._most_requests or self._bytes + size_bytes > self._most_bytes):
            self._room.clear()
            await self._room.wait()
        self._requests += 1
        self._bytes += size_bytes
        return size_bytes
