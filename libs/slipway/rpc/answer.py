"""One method's answer: bytes in, the servicer's values, bytes out."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import grpc.aio
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from slipway.rpc.call import Call, Gate
from slipway.rpc.message import is_raw, parse
from slipway.rpc.reading import Reading
from slipway.rpc.room import Room

Context = grpc.aio.ServicerContext[bytes, bytes]


class Answer:
    """Parses what comes, hands it to the servicer's method, serialises what it gives; or leaves both to the method.

    What is for anybody, as health is, takes no room: it answers however much is asked.
    """

    def __init__(
        self,
        servicer: object,
        method: MethodDescriptor,
        gate: Gate | None,
        room: Room,
        *,
        foreign: bool,
        stall_s: float,
    ) -> None:
        self._type: type[Message] = GetMessageClass(method.input_type)
        self._method: Callable[..., Any] = getattr(servicer, method.name)
        self._takes_bytes = is_raw(self._method)
        self._name = method.full_name
        self._gate = gate
        self._room = room
        self._foreign = foreign
        self._client_streaming = method.client_streaming
        self._stall_s = None if foreign else stall_s

    def reading(self, requests: Any) -> Reading | None:
        """What the caller sends, where that is a stream."""
        return Reading(requests, self._parse, self._stall_s) if self._client_streaming else None

    async def unary(self, request: Any, context: Context) -> bytes:
        """The one answer's bytes."""
        call = self._second(context)
        if call.exempt:
            return await self._one(request, call)
        size = 0 if self._client_streaming else len(request)
        self._room.enter(call.principal, size)
        try:
            return await self._one(request, call)
        finally:
            self._room.leave(call.principal, size)

    async def stream(self, request: Any, reading: Reading | None, context: Context) -> None:
        """Write every answer. Written from here, so that a caller who leaves ends the servicer's generator too.

        Of ``request``, the one or all that come, and its ``reading`` only one is looked at.
        """
        call = self._second(context)
        given = self._parse(request) if reading is None else reading.each()
        if call.exempt:
            await self._many(given, call, context)
            return
        self._room.enter(call.principal, 0)
        try:
            await self._many(given, call, context)
        finally:
            self._room.leave(call.principal, 0)

    async def _one(self, request: Any, call: Any) -> bytes:
        if self._takes_bytes:
            data: bytes = await self._method(request, call)
            return data
        reading = self.reading(request)
        given = self._parse(request) if reading is None else reading.each()
        response: Message = await self._method(given, call)
        return response.SerializeToString()

    async def _many(self, given: Any, call: Any, context: Context) -> None:
        responses = self._method(given, call)
        if inspect.iscoroutine(responses):
            # A foreign servicer may write to the context instead of yielding.
            await responses
            return
        async with aclosing(responses):
            async for response in responses:
                await _write(context, response.SerializeToString())

    def _second(self, context: Context) -> Any:
        if self._foreign:
            return _Writing(context)
        call = Call(context)
        if self._gate is not None:
            call.principal = self._gate(self._name, call)
            call.exempt = not call.principal
        return call

    def _parse(self, data: bytes) -> Message:
        return parse(self._type, data)


async def _write(context: Context, data: bytes) -> None:
    writing = asyncio.ensure_future(context.write(data))
    try:
        await asyncio.shield(writing)
    except asyncio.CancelledError:
        # gRPC takes no status while a message is on its way: without this the reason for the end would be lost.
        await asyncio.wait([writing])
        if not writing.cancelled():
            writing.exception()  # looked at: a write that failed meanwhile adds nothing to the end
        raise
    except Exception as error:
        # grpc has several errors for this, none of them public: the caller left, which is no fault of ours.
        raise asyncio.CancelledError("the caller left") from error


class _Writing:
    """grpc's context for a foreign servicer, serialising what it writes."""

    exempt = True

    def __init__(self, context: Context) -> None:
        self._context = context

    async def write(self, message: Message) -> None:
        await _write(self._context, message.SerializeToString())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)
