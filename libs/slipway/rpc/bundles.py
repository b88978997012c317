"""One method's calls by the native front: those that came together are answered together, where that is the same."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf.descriptor import MethodDescriptor
from opentelemetry.trace import INVALID_SPAN, Span

from slipway.rpc.bundle import Apart, Bundle, Bundling
from slipway.rpc.call import Call as ServicerCall
from slipway.rpc.call import Gate
from slipway.rpc.guard import Guard
from slipway.rpc.native_context import Context
from slipway.rpc.refusals import Draining
from slipway.rpc.room import Room
from slipway.rpc.telemetry import PARENT, MeasuredMethod
from slipway.rpc.timers import Timers

if TYPE_CHECKING:
    from slipway_front import Call

log = logging.getLogger(__name__)

Sent = tuple["Call", bytes]
"""A call with its message, or with its answer's."""

Send = Callable[[list[Sent]], None]
"""Takes calls with their answers."""

Ended = Callable[[Sequence[Sent]], None]
"""Takes calls that are to be answered one by one."""


class Bundles:
    """Lets calls in, each as if it came alone, and asks the servicer about those of a kind at once.

    What each would cost by itself, a task, a timer, a look at its headers and its message, is then shared by all.
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
        running: set[asyncio.Future[Any]],
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
        for call in calls:
            message, limit_s = call.message, self._limit_s(call)
            try:
                principal = self._principal(call)  # before anything of the message is looked at
            except Exception as error:  # a defect too is this call's alone
                found.append(Bundle(None, "", limit_s, self._left, error))
                found[-1].add(call, message, None)
                continue
            if (known := self._known(message)) is None:
                others.append((call, message))
                continue
            kind, read = known
            key = (id(kind), principal, self._timers.tick(limit_s))
            bundle = filling.get(key)
            if bundle is None or len(bundle.calls) == kind.most:
                bundle = filling[key] = Bundle(kind, principal, limit_s, self._left)
                found.append(bundle)
            bundle.add(call, message, read)
        return found, others

    def begin(self, bundle: Bundle, send: Send, ended: Ended) -> None:
        """Have each call answered, or told by a status, as soon as can be.

        ``ended`` is called when nothing of it goes on any more, with the calls that are the method's.
        """
        self._let_in(bundle)
        if not bundle.calls:
            ended([])
            return
        try:
            tell = partial(self._tell, bundle, send)
            work = self._bundling.begin_together(bundle.kind, bundle.read, bundle, tell)
        except Exception as error:
            ended(self._over(bundle, error))
            return
        bundle.work = work
        self._running.add(work)
        tick = self._timers.set(work, bundle.limit_s)

        def over(_: asyncio.Future[Any]) -> None:
            self._running.discard(work)
            late = self._timers.clear(work, tick)
            ended(self._over(bundle, self._timers.late(bundle.limit_s) if late else _error(work)))

        work.add_done_callback(over)

    def _tell(
        self, bundle: Bundle, send: Send, numbers: Sequence[int], outcomes: Sequence[bytes | BaseException]
    ) -> None:
        answers: list[Sent] = []
        answered: list[Span] = []
        errors: list[tuple[int, BaseException]] = []
        for number, outcome in zip(numbers, outcomes, strict=True):
            if bundle.told[number]:
                continue  # its caller is gone
            bundle.told[number] = True
            self._room.leave(bundle.principal, len(bundle.messages[number]))
            if isinstance(outcome, bytes):
                answers.append((bundle.calls[number], outcome))
                if bundle.traced:
                    answered.append(bundle.spans[number])
            else:
                errors.append((number, outcome))
        send(answers)
        self._measured.took_each(time.perf_counter() - bundle.began, len(answers))
        for span in answered:
            self._measured.end(span, grpc.StatusCode.OK)
        for place, error in errors:
            self._refuse(bundle, place, error)

    def _left(self, bundle: Bundle, place: int) -> None:
        self._room.leave(bundle.principal, len(bundle.messages[place]))
        self._measured.took(time.perf_counter() - bundle.began, grpc.StatusCode.CANCELLED)
        self._measured.end(bundle.spans[place], grpc.StatusCode.CANCELLED)

    def _over(self, bundle: Bundle, error: BaseException) -> list[Sent]:
        """Tell those who were told nothing what they failed by; those that are the method's."""
        left = list(bundle.untold)
        for place in left:
            self._room.leave(bundle.principal, len(bundle.messages[place]))
            if not isinstance(error, Apart):
                self._refuse(bundle, place, error)
        # Their spans are left behind, and exported by nobody: the method begins its own.
        return [(bundle.calls[place], bundle.messages[place]) for place in left] if isinstance(error, Apart) else []

    def _let_in(self, bundle: Bundle) -> None:
        """Have the calls take their room; those that find none, or may not, are told, and no longer in the bundle."""
        came = list(zip(bundle.calls, bundle.messages, bundle.read, strict=True))
        bundle.clear()
        records = self._measured.records
        for call, message, read in came:
            span = self._span(call) if records or call.has(PARENT) else INVALID_SPAN
            try:
                if self._drains():
                    raise Draining
                if bundle.error is not None:
                    raise bundle.error
                self._room.enter(bundle.principal, len(message))
            except Exception as error:
                self._fail(call, bundle.began, span, error)
            else:
                bundle.add(call, message, read, span)

    def _span(self, call: Call) -> Span:
        sent = call.metadata() if call.has(PARENT) else ()
        return self._measured.begin({key: value for key, value in sent if isinstance(value, str)})

    def _refuse(self, bundle: Bundle, place: int, error: BaseException) -> None:
        self._fail(bundle.calls[place], bundle.began, bundle.spans[place], error)

    def _fail(self, call: Call, began: float, span: Span, error: BaseException) -> None:
        context: Any = Context(call)
        guard = Guard(self._method, context, self._measured.call(context, began, span), self._drains)
        context.fail(*(guard.refusal(error) or (grpc.StatusCode.CANCELLED, "")))

    def _known(self, message: bytes) -> tuple[Any, Any] | None:
        try:
            return self._bundling.kind(message)
        except Exception:
            log.exception("a call's kind is not found, by a defect", extra={"rpc": self._method.full_name})
            return None  # it goes to the method, and the others of this look go on

    def _principal(self, call: Call) -> str:
        context: Any = Context(call)
        return "" if self._gate is None else self._gate(self._method.full_name, ServicerCall(context))

    def _limit_s(self, call: Call) -> float:
        left = call.remaining_s()
        return self._max_deadline_s if left is None else min(left, self._max_deadline_s)


def _error(work: asyncio.Future[Any]) -> BaseException:
    if work.cancelled():
        return asyncio.CancelledError()
    return work.exception() or RuntimeError("a bundle ended, and not all of its calls were told anything")
