"""What a caller sends on a stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from google.protobuf.message import Message

from slipway.rpc.refusals import DeadlineExceeded, Draining


class Reading:
    """The requests of one stream, each parsed when it is asked for; see :meth:`each`.

    A caller may pause for ``stall_s`` at most; None: for as long as it wants.
    """

    def __init__(
        self, requests: AsyncIterator[bytes], parse: Callable[[bytes], Message], stall_s: float | None
    ) -> None:
        self._requests = requests
        self._parse = parse
        self._stall_s = stall_s
        self._stopped = False
        self._pause: asyncio.Timeout | None = None

    def stop(self) -> None:
        """Take no more: :meth:`each` ends with Draining, and what was taken before can still be answered."""
        self._stopped = True
        if self._pause is not None:
            self._pause.reschedule(0.0)

    async def each(self) -> AsyncIterator[Message]:
        """Every request, to the caller's end. Raises DeadlineExceeded, Draining, MalformedMessage."""
        while (data := await self._next()) is not None:
            yield self._parse(data)

    async def _next(self) -> bytes | None:
        if self._stopped:
            raise Draining
        try:
            async with asyncio.timeout(self._stall_s) as self._pause:
                return await anext(self._requests, None)
        except TimeoutError:
            if self._stopped:
                raise Draining from None
            raise DeadlineExceeded(
                f"nothing came for {self._stall_s:g} s; send the rest of the stream without such a pause"
            ) from None
        finally:
            self._pause = None
