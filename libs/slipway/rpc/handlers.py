"""gRPC handlers over raw bytes, made from a protobuf service descriptor and a servicer.

grpcio answers UNKNOWN when its own deserialiser fails; a handler that parses for itself can say what was wrong.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor

from slipway.rpc import deadline
from slipway.rpc.answer import Answer, Context
from slipway.rpc.bundle import Bundling
from slipway.rpc.bundles import Bundles
from slipway.rpc.call import Gate
from slipway.rpc.guard import Guard
from slipway.rpc.message import is_raw
from slipway.rpc.native import Unary
from slipway.rpc.refusals import Draining
from slipway.rpc.room import Room
from slipway.rpc.telemetry import MeasuredMethod, Telemetry
from slipway.rpc.timers import Timers


@dataclass(frozen=True)
class Service:
    """A contract and the object that answers it."""

    descriptor: ServiceDescriptor
    servicer: object
    foreign: bool = False
    gate: Gate | None = None
    bundling: Mapping[str, Bundling] = field(default_factory=dict)


def service(
    descriptor: ServiceDescriptor,
    servicer: object,
    gate: Gate | None = None,
    bundling: Mapping[str, Bundling] | None = None,
) -> Service:
    """A service whose methods are ``async def Method(self, request, call: Call)``; streams are async generators.

    ``gate`` is asked who calls, and whether they may, before anything of a message is looked at. ``bundling`` answers
    several calls at once, by the names of methods that take bytes; a front need not make use of it.
    """
    missing = [method.name for method in descriptor.methods if not hasattr(servicer, method.name)]
    if missing:
        raise TypeError(f"{type(servicer).__name__} lacks {', '.join(missing)} of {descriptor.full_name}")
    given = bundling or {}
    if others := [name for name in given if not is_raw(getattr(servicer, name, None))]:
        raise TypeError(f"{type(servicer).__name__} does not take the bytes of {', '.join(others)} itself")
    return Service(descriptor, servicer, gate=gate, bundling=given)


def foreign(descriptor: ServiceDescriptor, servicer: object) -> Service:
    """A service from another library, whose methods take grpc's own context."""
    return Service(descriptor, servicer, foreign=True)


class Handlers:
    """Makes the handlers of one server and knows which of its streams are open.

    A call with one request and one answer gets ``max_deadline_s`` at most. A stream lasts as long as its caller
    wants, but one whose caller sends nothing for ``max_deadline_s`` ends. What does not fit into the ``room`` is
    refused before it is parsed; health and reflection take none.
    """

    def __init__(self, max_deadline_s: float, room: Room, telemetry: Telemetry) -> None:
        self._max_deadline_s = max_deadline_s
        self._room = room
        self._telemetry = telemetry
        self._timers = Timers()
        self._calls: set[asyncio.Future[Any]] = set()
        self._streams: dict[asyncio.Task[Any], Callable[[], object]] = {}
        """What ends each."""
        self._watchers: dict[asyncio.Task[Any], Callable[[], object]] = {}
        self._draining = False

    def of(self, entry: Service) -> grpc.GenericRpcHandler[bytes, bytes]:
        """The handler of all of a service's methods."""
        methods = {method.name: self._handler(entry, method) for method in entry.descriptor.methods}
        return grpc.method_handlers_generic_handler(entry.descriptor.full_name, methods)

    def unary(self, entries: Iterable[Service]) -> dict[str, Unary]:
        """What a front may answer without gRPC, by its path: own calls with one request and one answer."""
        found = {}
        for entry in entries:
            for method in entry.descriptor.methods:
                if not (entry.foreign or method.client_streaming or method.server_streaming):
                    path = f"/{entry.descriptor.full_name}/{method.name}"
                    found[path] = self._unary(method, self._answer(entry, method), always=False)
        return found

    def bundles(self, entries: Iterable[Service]) -> dict[str, Bundles]:
        """Those of :meth:`unary` whose calls may be answered together, by their paths."""
        return {
            f"/{entry.descriptor.full_name}/{name}": Bundles(
                entry.descriptor.methods_by_name[name],
                bundling,
                gate=entry.gate,
                room=self._room,
                measured=self._measured(entry.descriptor.methods_by_name[name]),
                timers=self._timers,
                max_deadline_s=self._max_deadline_s,
                running=self._calls,
                drains=self._drains,
            )
            for entry in entries
            for name, bundling in entry.bundling.items()
        }

    def drain(self) -> None:
        """Refuse new calls, and end every open stream, with UNAVAILABLE: a drain waits for no listener.

        A stream that has requests of its caller takes no more of them, and ends with its last answer.
        """
        self._draining = True
        for end in tuple(self._streams.values()):
            end()

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
        answer = self._answer(entry, method)
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

    def _answer(self, entry: Service, method: MethodDescriptor) -> Answer:
        stall_s = self._max_deadline_s
        return Answer(entry.servicer, method, entry.gate, self._room, foreign=entry.foreign, stall_s=stall_s)

    def _stream(
        self, method: MethodDescriptor, answer: Answer, group: dict[asyncio.Task[Any], Callable[[], object]]
    ) -> Any:
        measured = self._measured(method)

        async def stream(request: Any, context: Context) -> None:
            guard = Guard(method, context, measured.call(context), self._drains)
            task = _current()
            reading = answer.reading(request)
            group[task] = task.cancel if reading is None else reading.stop
            try:
                guard.start()
                if self._draining:
                    raise Draining
                if (left := context.time_remaining()) is not None:
                    deadline.start(left)
                await answer.stream(request, reading, context)
                guard.done()
            except BaseException as error:
                await guard.failed(error)
                raise
            finally:
                del group[task]

        return stream

    def _unary(self, method: MethodDescriptor, answer: Answer, *, always: bool) -> Any:
        measured = self._measured(method)
        bounded = not method.client_streaming

        async def unary(request: Any, context: Context) -> bytes:
            guard = Guard(method, context, measured.call(context), self._drains)
            task = _current()
            self._calls.add(task)
            try:
                guard.start()
                # Health goes on answering, to say that the process drains.
                if self._draining and not always:
                    raise Draining
                limit = context.time_remaining()
                if bounded:
                    limit = self._max_deadline_s if limit is None else min(limit, self._max_deadline_s)
                data = await self._timers.bounded(answer.unary(request, context), limit)
                guard.done()
                return data
            except BaseException as error:
                await guard.failed(error)
                raise
            finally:
                self._calls.discard(task)

        return unary

    def _measured(self, method: MethodDescriptor) -> MeasuredMethod:
        return self._telemetry.method(method.containing_service.full_name, method.name)

    def _drains(self) -> bool:
        return self._draining


def _current() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    assert task is not None  # noqa: S101  (grpc.aio always runs a handler as a task)
    return task
