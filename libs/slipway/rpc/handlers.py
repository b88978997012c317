"""gRPC handlers over raw bytes, made from a protobuf service descriptor and a servicer.

grpcio answers UNKNOWN when its own deserialiser fails; a handler that parses for itself can say what was wrong.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor

from slipway.rpc import deadline
from slipway.rpc.answer import Answer, Context
from slipway.rpc.guard import Guard
from slipway.rpc.refusals import DeadlineExceeded, Draining
from slipway.rpc.telemetry import Telemetry


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


class Handlers:
    """Makes the handlers of one server and knows which of its streams are open.

    A call with one request and one answer gets ``max_deadline_s`` at most. A stream lasts as long as its caller
    wants, but one whose caller sends nothing for ``max_deadline_s`` ends.
    """

    def __init__(self, max_deadline_s: float, telemetry: Telemetry) -> None:
        self._max_deadline_s = max_deadline_s
        self._telemetry = telemetry
        self._calls: set[asyncio.Task[Any]] = set()
        self._streams: set[asyncio.Task[Any]] = set()
        self._watchers: set[asyncio.Task[Any]] = set()
        self._draining = False

    def of(self, entry: Service) -> grpc.GenericRpcHandler[bytes, bytes]:
        """The handler of all of a service's methods."""
        methods = {method.name: self._handler(entry, method) for method in entry.descriptor.methods}
        return grpc.method_handlers_generic_handler(entry.descriptor.full_name, methods)

    def drain(self) -> None:
        """Refuse new calls, and end every open stream, with UNAVAILABLE: a drain waits for no listener."""
        self._draining = True
        for task in tuple(self._streams):
            task.cancel()

    async def finished(self, grace_s: float) -> None:
        """Wait until the services' calls are answered, ``grace_s`` at most; then end those left, and health's watchers.

        The watchers stay that long because they are told first that the server drains.
        """
        if self._calls or self._streams:
            await asyncio.wait({*self._calls, *self._streams}, timeout=grace_s)
        for task in (*self._calls, *self._streams, *self._watchers):
            task.cancel()

    @property
    def open_streams(self) -> int:
        """How many streams are being answered, those of health and reflection too."""
        return len(self._streams) + len(self._watchers)

    def _handler(self, entry: Service, method: MethodDescriptor) -> grpc.RpcMethodHandler[bytes, bytes]:
        answer = Answer(entry.servicer, method, foreign=entry.foreign, stall_s=self._max_deadline_s)
        make: Any
        if method.server_streaming:
            make = (
                grpc.stream_stream_rpc_method_handler
                if method.client_streaming
                else grpc.unary_stream_rpc_method_handler
            )
            group = self._watchers if entry.foreign else self._streams
            return make(self._stream(method, answer, group))  # type: ignore[no-any-return]
        make = grpc.stream_unary_rpc_method_handler if method.client_streaming else grpc.unary_unary_rpc_method_handler
        return make(self._unary(method, answer, always=entry.foreign))  # type: ignore[no-any-return]

    def _stream(self, method: MethodDescriptor, answer: Answer, group: set[asyncio.Task[Any]]) -> Any:
        async def stream(request: Any, context: Context) -> None:
            with _among(group):
                async with self._guard(method, context):
                    if self._draining:
                        raise Draining
                    _start_clock(context.time_remaining())
                    await answer.stream(request, context)

        return stream

    def _unary(self, method: MethodDescriptor, answer: Answer, *, always: bool) -> Any:
        async def unary(request: Any, context: Context) -> bytes:
            with _among(self._calls):
                async with self._guard(method, context):
                    # Health goes on answering, to say that the process drains.
                    if self._draining and not always:
                        raise Draining
                    return await self._bounded(method, answer, request, context)
            raise AssertionError("the guard aborts")  # pragma: no cover

        return unary

    async def _bounded(self, method: MethodDescriptor, answer: Answer, request: Any, context: Context) -> bytes:
        limit = context.time_remaining()
        if not method.client_streaming:
            limit = self._max_deadline_s if limit is None else min(limit, self._max_deadline_s)
        _start_clock(limit)
        return await _in_time(answer.unary(request, context), limit)

    def _guard(self, method: MethodDescriptor, context: Context) -> Guard:
        span = self._telemetry.call(method.containing_service.full_name, method.name, context)
        return Guard(method, context, span, lambda: self._draining)


@contextmanager
def _among(group: set[asyncio.Task[Any]]) -> Iterator[None]:
    task = asyncio.current_task()
    assert task is not None  # noqa: S101  (grpc.aio always runs a handler as a task)
    group.add(task)
    try:
        yield
    finally:
        group.discard(task)


def _start_clock(limit: float | None) -> None:
    if limit is not None:
        deadline.start(limit)


async def _in_time(work: Any, limit: float | None) -> bytes:
    timer = asyncio.timeout(limit)
    try:
        async with timer:
            return await work  # type: ignore[no-any-return]
    except TimeoutError:
        if not timer.expired():
            raise
        raise DeadlineExceeded(f"no answer within {limit:.3f} s; allow more time or ask for less") from None
