"""The gateway's end of the line to a worker."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Any, NamedTuple

from services.inference_gateway.adapters.worker_frames import LARGEST_PACKET, Kind, Packet
from services.inference_gateway.adapters.worker_memory import BadMemory, Slot
from services.inference_gateway.adapters.worker_tensors import inputs_of, outputs_of
from services.inference_gateway.domain.outputs import Outputs
from services.inference_gateway.domain.signature import Signature, Tensors
from services.inference_gateway.domain.tensors import BadRaw
from services.inference_gateway.domain.worker_errors import ModelFailed, NoMemory, WorkerDied

Reply = asyncio.Future[Outputs]


class _Asked(NamedTuple):
    """A batch that the worker has."""

    reply: Reply
    rows: int
    packed_s: float


class Refused(ValueError):
    """The worker can't serve the model; the message says why."""


class Channel:
    """Hands batches over in slots, as many at once as there are; the others wait here, in order.

    Trusts nothing that a worker says: what is no answer to a batch that it has ends it. ``on_end`` is told once that
    the line is dead, and why when the worker is at fault; it is to end the process.
    """

    def __init__(
        self, version: str, signature: Signature, line: socket.socket, slots: list[Slot], on_end: Callable[[str], None]
    ) -> None:
        self._version = version
        self._line = line
        self._slots = slots
        self._on_end = on_end
        self._inputs = inputs_of(signature)
        self._outputs = outputs_of(signature)
        self._loop = asyncio.get_running_loop()
        self._free = list(range(len(slots)))
        self._queue: deque[asyncio.Future[int]] = deque()
        self._asked: dict[int, _Asked] = {}
        self._ready: asyncio.Future[str] = self._loop.create_future()
        self._settled: asyncio.Future[None] | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._since = 0.0
        self._dead = False
        self._loop.add_reader(line.fileno(), self._hear)

    async def loaded(self, timeout_s: float) -> str:
        """The provider's name, when the model is loaded. Raises Refused when it can't be, WorkerDied."""
        self._expect(timeout_s)
        try:
            return await self._ready
        finally:
            self._unwatch()  # a batch has a time of its own

    async def run(self, inputs: Tensors, timeout_s: float) -> Outputs:
        """The answers to a batch. Raises ModelFailed, WorkerDied, NoMemory.

        A worker that answers nothing for ``timeout_s`` while it has something is at fault.
        """
        place = self._free.pop() if self._free else await self._next_free()
        if self._dead:
            raise WorkerDied(self._version)
        rows = len(next(iter(inputs.values())))
        began = monotonic()
        slot = self._slots[place]
        try:
            used = self._inputs.write(inputs, rows, slot)
            packed_s = monotonic() - began  # before it is sent: the worker may run at once
            self._line.send(Packet(Kind.RUN, place, rows, used, slot.size).pack())
        except BaseException as error:
            self._give_back(place)
            if isinstance(error, ConnectionError):
                self._end("")  # its end was not read yet, and nobody may ask this process again
                raise WorkerDied(self._version) from error
            if isinstance(error, OSError):
                raise NoMemory(self._version) from error
            raise
        reply: Reply = self._loop.create_future()
        self._expect(timeout_s)
        self._asked[place] = _Asked(reply, rows, packed_s)
        return await reply

    async def drained(self) -> None:
        """Return when no batch is with the worker or waits for it, or the line is dead."""
        while (self._asked or self._queue) and not self._dead:
            self._settled = self._loop.create_future()
            await self._settled

    def close(self) -> None:
        """End the line."""
        self._end("")
        self._unwatch()
        self._line.close()
        for slot in self._slots:
            slot.close()

    async def _next_free(self) -> int:
        if self._dead:
            raise WorkerDied(self._version)
        turn: asyncio.Future[int] = self._loop.create_future()
        self._queue.append(turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._give_back(turn.result())
            raise

    def _give_back(self, place: int) -> None:
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(place)
                return
        self._free.append(place)

    def _hear(self) -> None:
        try:
            data = self._line.recv(LARGEST_PACKET)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._end("")
            return
        self._since = monotonic()
        try:
            self._understand(Packet.unpack(data))
        except (struct.error, KeyError, BadMemory):
            self._end("ended because it broke the protocol")
        except OSError:
            self._end("ended because there is no memory for its answer")

    def _understand(self, packet: Packet) -> None:
        if not self._ready.done():
            if packet.kind == Kind.READY:
                self._ready.set_result(packet.text)
            else:
                self._ready.set_exception(Refused(packet.text))
            return
        asked = self._asked[packet.slot]
        if not asked.reply.done():
            try:
                asked.reply.set_result(self._answer(packet, asked))
            except ModelFailed as error:
                asked.reply.set_exception(error)
        del self._asked[packet.slot]
        self._give_back(packet.slot)
        self._tell_settled()

    def _answer(self, packet: Packet, asked: _Asked) -> Outputs:
        began = monotonic()
        if packet.kind != Kind.RESULT:
            raise ModelFailed(self._version, packet.text)
        slot = self._slots[packet.slot]
        slot.follow(packet.size)
        if packet.used > slot.size:
            raise BadMemory(f"{packet.used} bytes in a slot of {slot.size}")
        try:
            # Copied before it is looked at: the worker may write there at any time.
            tensors = self._outputs.read(slot.memory[: packet.used], asked.rows)
        except BadRaw as error:
            raise ModelFailed(self._version, f"its answer {error}") from error
        return Outputs(tensors, packet.ran_ns / 1e9, asked.packed_s, monotonic() - began)

    def _expect(self, timeout_s: float) -> None:
        if not self._asked:
            self._since = monotonic()
        if self._watch is None:
            self._watch = self._loop.call_later(timeout_s, self._look, timeout_s)

    def _unwatch(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    def _look(self, timeout_s: float) -> None:
        self._watch = None
        if self._dead or not (self._asked or not self._ready.done()):
            return
        left = self._since + timeout_s - monotonic()
        if left > 0:
            self._watch = self._loop.call_later(left, self._look, timeout_s)
        else:
            self._end(f"hung: it answered nothing for {timeout_s:g} s")

    def _end(self, why: str) -> None:
        if self._dead:
            return
        self._dead = True
        self._loop.remove_reader(self._line.fileno())
        waiting: list[asyncio.Future[Any]] = [self._ready, *(one.reply for one in self._asked.values()), *self._queue]
        for one in waiting:
            if not one.done():
                one.set_exception(WorkerDied(self._version))
                one.exception()  # nobody may be left who asks
        self._tell_settled()
        self._on_end(why)

    def _tell_settled(self) -> None:
        if self._settled is not None and not self._settled.done():
            self._settled.set_result(None)
