"""The native front: calls from ``libs/front`` as tasks of the event loop, and their answers back."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import grpc.aio

from slipway.lifecycle import cores
from slipway.rpc.bundle import Bundle
from slipway.rpc.bundles import Bundles
from slipway.rpc.native_context import Context
from slipway.rpc.settings import RpcSettings

if TYPE_CHECKING:
    from slipway_front import Call, Front

Unary = Callable[[bytes, Any], Awaitable[bytes]]
"""One method's handler: the request's bytes and grpc's context to the answer's bytes."""

_BACKLOG = 4096
_FEW_CORES = 4
_UNKNOWN = grpc.StatusCode.UNKNOWN.value[0]


class NativeFront:
    """HTTP/2 in threads without Python's lock; calls and answers are handed over in batches.

    The ``unary`` methods are answered here, by their paths; all others by the server behind, on a socket without a
    file: nothing of it is left when a process is killed.
    """

    def __init__(
        self,
        server: grpc.aio.Server,
        settings: RpcSettings,
        unary: Mapping[str, Unary],
        bundles: Mapping[str, Bundles],
    ) -> None:
        self._server = server
        self._settings = settings
        self._paths = list(unary)
        self._methods = list(unary.values())
        self._bundles = {self._paths.index(path): one for path, one in bundles.items()}
        self._running: dict[int, Context | Bundle] = {}
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
        left = {who.work for who in self._running.values() if who.work is not None}
        for work in left:
            work.cancel()
        if left:
            await asyncio.wait(left, timeout=patience_s)
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
        for number in gone:
            self._leave(number)
        if gone:
            left = set(gone)
            calls = [call for call in calls if call.id not in left]  # who came and went is not answered
        together: dict[Bundles, list[Call]] = {}
        for call in calls:
            if (bundles := self._bundles.get(call.method)) is None:
                self._begin(call, call.message)
            else:
                together.setdefault(bundles, []).append(call)
        for bundles, some in together.items():
            self._begin_together(bundles, some)

    def _begin_together(self, bundles: Bundles, calls: Sequence[Call]) -> None:
        found, others = bundles.of(calls)
        for bundle in found:
            came = list(bundle.calls)
            for call in came:
                self._running[call.id] = bundle
            bundles.begin(bundle, self._send, partial(self._end_together, came))
        for call, message in others:
            self._begin(call, message)

    def _end_together(self, calls: Sequence[Call], others: Sequence[tuple[Call, bytes]]) -> None:
        """Calls of a bundle are done with, but for ``others``, whose method is asked unless their callers left."""
        waiting = {call.id for call in calls if self._running.pop(call.id, None) is not None}
        for call, message in others:
            if call.id in waiting:
                self._begin(call, message)

    def _begin(self, call: Call, message: bytes) -> None:
        context = Context(call)
        context.work = asyncio.get_running_loop().create_task(self._serve(call, message, context))
        self._running[call.id] = context

    def _leave(self, number: int) -> None:
        """A caller is gone."""
        who = self._running.pop(number, None)
        if who is not None and who.leave(number) and who.work is not None:
            who.work.cancel()

    async def _serve(self, call: Call, message: bytes, context: Context) -> None:
        try:
            data = await self._methods[call.method](message, context)
        except (grpc.aio.AbortError, asyncio.CancelledError):
            context.fail(grpc.StatusCode.CANCELLED, "")  # for those who were told nothing else
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
        self._send(answers)

    def _send(self, answers: list[tuple[Call, bytes]]) -> None:
        if self._front is not None:
            self._front.answer(answers)


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
