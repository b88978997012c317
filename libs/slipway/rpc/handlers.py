"""gRPC handlers over raw bytes, made from a protobuf service descriptor and a servicer.

grpcio answers UNKNOWN when its own deserialiser fails; a handler that parses for itself can say what was wrong.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from slipway.errors import InvalidInput, Kind, SlipwayError
from slipway.rpc import deadline, status
from slipway.rpc.call import Call
from slipway.rpc.telemetry import Telemetry

Context = grpc.aio.ServicerContext[bytes, bytes]
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Service:
    """A contract and the object that answers it."""

    descriptor: ServiceDescriptor
    servicer: object
    foreign: bool = False


def service(descriptor: ServiceDescriptor, servicer: object) -> Service:
    """A service whose methods are ``async def Method(self, request, call: Call)``; streams are async generators."""
    missing = [method.name for method in descriptor.methods if not hasattr(servicer, method.name)]
    if missing:
        raise TypeError(f"{type(servicer).__name__} lacks {', '.join(missing)} of {descriptor.full_name}")
    return Service(descriptor, servicer)


def foreign(descriptor: ServiceDescriptor, servicer: object) -> Service:
    """A service from another library, whose methods take grpc's own context."""
    return Service(descriptor, servicer, foreign=True)


class MalformedMessage(InvalidInput):
    """The bytes are not the message that the method takes."""

    reason = "MALFORMED_MESSAGE"


class DeadlineExceeded(SlipwayError):
    """The answer was not ready in the time the caller gave, or the server's maximum."""

    kind = Kind.DEADLINE_EXCEEDED
    reason = "DEADLINE_EXCEEDED"


class Draining(SlipwayError):
    """The server is stopping; another one, or this one in a moment, will answer."""

    kind = Kind.UNAVAILABLE
    reason = "DRAINING"


class Internal(SlipwayError):
    """A defect of the server; its log has the details under the reference."""

    kind = Kind.INTERNAL
    reason = "INTERNAL"


class Handlers:
    """Makes the handlers of one server and knows which of its streams are open."""

    def __init__(self, max_deadline_s: float, telemetry: Telemetry) -> None:
        self._max_deadline_s = max_deadline_s
        self._telemetry = telemetry
        self._streams: set[asyncio.Task[Any]] = set()
        self._draining = False

    def of(self, entry: Service) -> grpc.GenericRpcHandler[bytes, bytes]:
        """The handler of all of a service's methods."""
        methods = {method.name: self._handler(entry, method) for method in entry.descriptor.methods}
        return grpc.method_handlers_generic_handler(entry.descriptor.full_name, methods)

    def end_streams(self) -> None:
        """End every open stream with UNAVAILABLE, so that a drain does not wait for listeners that never leave."""
        self._draining = True
        for task in tuple(self._streams):
            task.cancel()

    def _handler(self, entry: Service, method: MethodDescriptor) -> grpc.RpcMethodHandler[bytes, bytes]:
        answer = _Answer(entry, method)
        if method.server_streaming:

            async def stream(request: Any, context: Context) -> AsyncIterator[bytes]:
                task = asyncio.current_task()
                assert task is not None  # noqa: S101  (grpc.aio always runs a handler as a task)
                self._streams.add(task)
                try:
                    async with self._guard(method, context):
                        self._limit(context, streaming=True)
                        async for response in answer.stream(request, context):
                            yield response
                finally:
                    self._streams.discard(task)

            make = (
                grpc.stream_stream_rpc_method_handler
                if method.client_streaming
                else grpc.unary_stream_rpc_method_handler
            )
            return make(stream)

        async def unary(request: Any, context: Context) -> bytes:
            async with self._guard(method, context):
                limit = self._limit(context, streaming=False)
                return await self._in_time(answer.unary(request, context), limit)
            raise AssertionError("the guard aborts")  # pragma: no cover

        make_unary = (
            grpc.stream_unary_rpc_method_handler if method.client_streaming else grpc.unary_unary_rpc_method_handler
        )
        return make_unary(unary)

    def _limit(self, context: Context, *, streaming: bool) -> float | None:
        left = context.time_remaining()
        if streaming and left is None:
            return None
        limit = self._max_deadline_s if left is None else min(left, self._max_deadline_s)
        deadline.start(limit)
        return limit

    async def _in_time(self, work: Any, limit: float | None) -> bytes:
        timer = asyncio.timeout(limit)
        try:
            async with timer:
                return await work  # type: ignore[no-any-return]
        except TimeoutError:
            if not timer.expired():
                raise
            raise DeadlineExceeded(f"no answer within {limit:.3f} s; allow more time or ask for less") from None

    def _guard(self, method: MethodDescriptor, context: Context) -> _Guard:
        return _Guard(self, method, context, self._telemetry)

    @property
    def draining(self) -> bool:
        """Whether :meth:`end_streams` was called."""
        return self._draining


class _Guard:
    """Around one call: its span and metrics, and every way it can fail turned into a status with details."""

    def __init__(self, handlers: Handlers, method: MethodDescriptor, context: Context, telemetry: Telemetry) -> None:
        self._handlers = handlers
        self._context = context
        self._method = method
        self._span = telemetry.call(method.containing_service.full_name, method.name, context)

    async def __aenter__(self) -> None:
        self._span.__enter__()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> bool:
        if error is None:
            self._span.finish(grpc.StatusCode.OK)
            return False
        if isinstance(error, grpc.aio.AbortError):
            self._span.finish(self._context.code() or grpc.StatusCode.UNKNOWN)
            return False
        told = self._told(error)
        if told is None:
            self._span.finish(grpc.StatusCode.CANCELLED)
            return False
        code, message, trailing = status.encode(told)
        self._span.finish(code, error)
        await self._context.abort(code, message, trailing)
        return False

    def _told(self, error: BaseException) -> SlipwayError | None:
        if isinstance(error, SlipwayError):
            return error
        if isinstance(error, asyncio.CancelledError) and self._handlers.draining:
            return Draining("the server is stopping; call again", retry_after_s=0.2)
        if not isinstance(error, Exception):
            return None
        name = self._method.full_name
        log.error("a call failed by a defect", exc_info=error, extra={"rpc": name})
        reference = self._span.trace_id or "none"
        return Internal(
            f"{name} failed; the server's log has the details under trace {reference}",
            facts={"trace_id": reference},
        )


class _Answer:
    """One method: bytes in, the servicer's answer, bytes out."""

    def __init__(self, entry: Service, method: MethodDescriptor) -> None:
        self._type: type[Message] = GetMessageClass(method.input_type)
        self._method: Callable[..., Any] = getattr(entry.servicer, method.name)
        self._foreign = entry.foreign
        self._client_streaming = method.client_streaming

    async def unary(self, request: Any, context: Context) -> bytes:
        response: Message = await self._method(self._decoded(request), self._second(context))
        return response.SerializeToString()

    async def stream(self, request: Any, context: Context) -> AsyncIterator[bytes]:
        responses = self._method(self._decoded(request), self._second(context))
        if inspect.iscoroutine(responses):
            # A foreign servicer may write to the context instead of yielding.
            await responses
            return
        async for response in responses:
            yield response.SerializeToString()

    def _second(self, context: Context) -> Any:
        return _Writing(context) if self._foreign else Call(context)

    def _decoded(self, request: Any) -> Any:
        return self._each(request) if self._client_streaming else self._parse(request)

    async def _each(self, requests: AsyncIterator[bytes]) -> AsyncIterator[Message]:
        async for request in requests:
            yield self._parse(request)

    def _parse(self, data: bytes) -> Message:
        try:
            return self._type.FromString(data)
        except DecodeError as error:
            name = self._type.DESCRIPTOR.full_name
            raise MalformedMessage(
                f"the request's {len(data)} bytes are not a {name}; encode one from the published contract",
                facts={"expected": name},
            ) from error


class _Writing:
    """grpc's context for a foreign servicer, serialising what it writes."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def write(self, message: Message) -> None:
        await self._context.write(message.SerializeToString())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)
