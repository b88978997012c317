"""One call of the native front, for whoever takes grpc's context."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import grpc
import grpc.aio

if TYPE_CHECKING:
    from slipway_front import Call


class Context:
    """What grpc's context is to a handler, of a call that came by the native front."""

    __slots__ = ("_call", "_code", "_left", "work")

    def __init__(self, call: Call) -> None:
        self._call = call
        self._left = False
        self.work: asyncio.Future[Any] | None = None
        """What answers it, once it is begun."""
        self._code: grpc.StatusCode | None = None

    def leave(self, _: int) -> bool:
        """The caller is gone: nobody waits any more."""
        self._left = True
        return True

    def invocation_metadata(self) -> Sequence[tuple[str, str | bytes]]:
        """What the caller sent beside the message."""
        return self._call.metadata()

    def time_remaining(self) -> float | None:
        """Seconds that the caller still waits; None: for ever."""
        return self._call.remaining_s()

    def cancelled(self) -> bool:
        """Whether the caller is gone."""
        return self._left

    def code(self) -> grpc.StatusCode | None:
        """The status that the caller was told."""
        return self._code

    async def abort(self, code: grpc.StatusCode, message: str, trailing: Sequence[tuple[str, bytes]] = ()) -> NoReturn:
        """Tell the caller by a status. Raises AbortError."""
        self.fail(code, message, trailing)
        raise grpc.aio.AbortError

    def fail(self, code: grpc.StatusCode, message: str, trailing: Sequence[tuple[str, bytes]] = ()) -> None:
        """Tell the caller by a status, unless it was told before."""
        self._code = code
        self._call.fail(code.value[0], message, list(trailing))
