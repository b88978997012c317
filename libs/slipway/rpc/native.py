"""The native front: calls from ``libs/front`` as tasks of the event loop, and their answers back."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import grpc.aio

from slipway.lifecycle import cores
from slipway.rpc.settings import RpcSettings

if TYPE_CHECKING:
    from slipway_front import Call, Front

Unary = Callable[[bytes, Any], Awaitable[bytes]]
"""One method's handler: the request's bytes and grpc's context to the answer's bytes."""

_BACKLOG = 4096
_FEW_CORES = 4
_CANCELLED, _UNKNOWN = (code.value[0] for code in (grpc.StatusCode.CANCELLED, grpc.StatusCode.UNKNOWN))


class NativeFront:
    """HTTP/2 in threads without Python's lock; calls and answers are handed over in batches.

    The ``unary`` methods are answered here, by their paths; all others by the server behind, on a socket without a
    file: nothing of it is left when a process is killed.
    """

    def __init__(self, server: grpc.aio.Server, settings: RpcSettings, unary: Mapping[str, Unary]) -> None:
        self._server = server
        self._settings = settings
        self._paths = list(unary)
        self._methods = list(unary.values())
        self._running: dict[int, tuple[asyncio.Task[None], Context]] = {}
        self._answers: list[tuple[Call, bytes]] = []
        self._front: Front | None = None
        self._wake = -1

    async def start(self) -> int:
        """See Listening."""
        from slipway_front import Front  # noqa: PLC0415  (an installation may be without it)

        listeners = _listeners(self._settings.listen)
        port: int = listeners[0].getsockname()[1]
        behind = f"slipway-{os.getpid()}-{secrets.token_hex(8)}"
        self._server.add_insecure_port(f"unix-abstract:{behind}")
        await self._server.start()
        self._wake, waking = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(waking, False)
        asyncio.get_running_loop().add_reader(self._wake, self._take)
        limits = self._settings
        self._front = Front(
            [one.detach() for one in listeners],
            waking,
            self._paths,
            behind,
            threads=1 if cores() <= _FEW_CORES else 2,
            message_bytes=limits.max_message_bytes,
            arriving_bytes=limits.max_pending_bytes,
            longest_s=limits.max_deadline_s,
            keepalive_s=limits.keepalive_s,
            streams=2 * limits.max_concurrent_calls,
        )
        return port

    async def stop(self, patience_s: float) -> None:
        """See Listening."""
        if self._front is not None:
            self._front.drain()
        await self._server.stop(patience_s)
        tasks = [task for task, _ in self._running.values()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=patience_s)
        if self._front is not None:
            self._flush()
            await asyncio.to_thread(self._front.close, patience_s)
            asyncio.get_running_loop().remove_reader(self._wake)
            os.close(self._wake)
            self._front = None

    def _take(self) -> None:
        front = self._front
        try:
            os.read(self._wake, 4096)
        except BlockingIOError:
            return
        if front is None:
            return
        calls, gone = front.take()
        loop = asyncio.get_running_loop()
        for call in calls:
            context = Context(call)
            self._running[call.id] = loop.create_task(self._serve(call, context)), context
        for number in gone:
            if (left := self._running.pop(number, None)) is not None:
                task, context = left
                context.leave()
                task.cancel()  # it may not have begun, and then never will

    async def _serve(self, call: Call, context: Context) -> None:
        try:
            data = await self._methods[call.method](call.message, context)
        except (grpc.aio.AbortError, asyncio.CancelledError):
            call.fail(_CANCELLED, "", [])  # for those who were told nothing else
        except Exception:
            # The handler has logged it, and told whoever still waited.
            call.fail(_UNKNOWN, "", [])
        else:
            self._tell(call, data)
        finally:
            self._running.pop(call.id, None)

    def _tell(self, call: Call, data: bytes) -> None:
        self._answers.append((call, data))
        if len(self._running) == 1:
            self._flush()  # nobody else's answer is awaited
        elif len(self._answers) == 1:
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        answers, self._answers = self._answers, []
        if self._front is not None:
            self._front.answer(answers)


class Context:
    """What grpc's context is to a handler, of a call that came by the native front."""

    __slots__ = ("_call", "_code", "_left")

    def __init__(self, call: Call) -> None:
        self._call = call
        self._left = False
        self._code: grpc.StatusCode | None = None

    def leave(self) -> None:
        """The caller is gone."""
        self._left = True

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
        self._code = code
        self._call.fail(code.value[0], message, list(trailing))
        raise grpc.aio.AbortError


def _listeners(address: str) -> list[socket.socket]:
    """A socket for each address that a name stands for, all on one port. Raises OSError."""
    host, _, port = address.rpartition(":")
    found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    opened: list[socket.socket] = []
    try:
        for family, *_, (ip, number, *_) in found:
            chosen = number or (opened[0].getsockname()[1] if opened else 0)
            opened.append(socket.create_server((ip, chosen), family=family, backlog=_BACKLOG))
            opened[-1].setblocking(False)
    except OSError:
        for one in opened:
            one.close()
        raise
    return opened
