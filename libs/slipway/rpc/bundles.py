"""One method's calls by the native front: those that came together are answered together, where that is the same."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf.descriptor import MethodDescriptor

from slipway.errors import SlipwayError
from slipway.rpc.bundle import Apart, Bundle, Bundling
from slipway.rpc.call import Call as ServicerCall
from slipway.rpc.call import Gate
from slipway.rpc.guard import Guard
from slipway.rpc.native_context import Context
from slipway.rpc.refusals import Draining
from slipway.rpc.room import Room
from slipway.rpc.telemetry import MeasuredMethod
from slipway.rpc.timers import Timers

if TYPE_CHECKING:
    from slipway_front import Call

Sent = tuple["Call", bytes]
"""A call with its message, or with its answer's."""

Send = Callable[[list[Sent]], None]
"""Takes calls with their answers."""


class Bundles:
    """Lets calls in, each as if it came alone, and asks the servicer about those of a kind at once.

    What each would cost by itself, a task, a timer, a look at its headers and its message, is then shared by all. A
    call that is traced is answered by itself.
    """

    def __init__(
        self,
        method: MethodDescriptor,
        bundling: Bundling,
        *,
        gate: Gate | None,
        room: Room,
        measured: MeasuredMethod,
        timers: Timers,
        max_deadline_s: float,
        running: set[asyncio.Task[Any]],
        drains: Callable[[], bool],
    ) -> None:
        self._method = method
        self._bundling = bundling
        self._gate = gate
        self._room = room
        self._measured = measured
        self._timers = timers
        self._max_deadline_s = max_deadline_s
        self._running = running
        self._drains = drains

    def of(self, calls: Sequence[Call]) -> tuple[list[Bundle], list[Sent]]:
        """The calls in bundles, and those that are for the method, each with its message."""
        found: list[Bundle] = []
        others: list[Sent] = []
        filling: dict[tuple[int, str, int], Bundle] = {}
        traced = self._measured.records
        for call in calls:
            message = call.message
            kind = None if traced or call.has("traceparent") else self._bundling.kind(message)
            if kind is None:
                others.append((call, message))
                continue
            limit_s = self._limit_s(call)
            try:
                principal = self._principal(call)
            except SlipwayError as error:
                found.append(Bundle(kind, "", limit_s, error))
                found[-1].add(call, message)
                continue
            key = (id(kind), principal, self._timers.tick(limit_s))
            bundle = filling.get(key)
            if bundle is None or len(bundle.calls) == kind.most:
                bundle = filling[key] = Bundle(kind, principal, limit_s)
                found.append(bundle)
            bundle.add(call, message)
        return found, others

    async def answer(self, bundle: Bundle, send: Send) -> Sequence[Sent]:
        """Have each call answered, or told by a status, as soon as can be; those that are left are the method's."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  (the front runs it as one)
        self._running.add(task)
        try:
            return await self._answered(bundle, send)
        except BaseException as error:
            for call, message in bundle.untold:
                self._room.leave(bundle.principal, len(message))
                self._refuse(call, bundle, error)
            if not isinstance(error, Exception):
                raise
            return ()
        finally:
            self._running.discard(task)

    async def _answered(self, bundle: Bundle, send: Send) -> Sequence[Sent]:
        self._let_in(bundle)

        def tell(first: int, outcomes: Sequence[bytes | BaseException]) -> None:
            answers: list[Sent] = []
            for number, outcome in enumerate(outcomes, first):
                bundle.told[number] = True
                self._room.leave(bundle.principal, len(bundle.messages[number]))
                if isinstance(outcome, bytes):
                    answers.append((bundle.calls[number], outcome))
                else:
                    self._refuse(bundle.calls[number], bundle, outcome)
            send(answers)
            self._measured.took_each(time.perf_counter() - bundle.began, len(answers))

        work = self._bundling.answer_together(bundle.kind, bundle.messages, bundle, tell)
        try:
            await self._timers.bounded(work, bundle.limit_s)
        except Apart:
            left = list(bundle.untold)
            for _, message in left:
                self._room.leave(bundle.principal, len(message))
            return left
        return ()

    def _let_in(self, bundle: Bundle) -> None:
        """Have the calls take their room; those that find none, or may not, are told, and no longer in the bundle."""
        calls, bundle.calls = bundle.calls, []
        messages, bundle.messages = bundle.messages, []
        bundle.told.clear()
        for call, message in zip(calls, messages, strict=True):
            try:
                if self._drains():
                    raise Draining
                if bundle.error is not None:
                    raise bundle.error
                self._room.enter(bundle.principal, len(message))
            except SlipwayError as error:
                self._refuse(call, bundle, error)
            else:
                bundle.add(call, message)

    def _refuse(self, call: Call, bundle: Bundle, error: BaseException) -> None:
        context: Any = Context(call)
        guard = Guard(self._method, context, self._measured.call(context, bundle.began), self._drains)
        context.fail(*(guard.refusal(error) or (grpc.StatusCode.CANCELLED, "")))

    def _principal(self, call: Call) -> str:
        context: Any = Context(call)
        return "" if self._gate is None else self._gate(self._method.full_name, ServicerCall(context))

    def _limit_s(self, call: Call) -> float:
        left = call.remaining_s()
        return self._max_deadline_s if left is None else min(left, self._max_deadline_s)
