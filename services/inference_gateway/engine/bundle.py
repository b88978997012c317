"""Requests that came together and differ in their numbers alone, as one: what is done for one is done for all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from opentelemetry.trace import SpanContext

from services.inference_gateway.domain.batch import Batch, one_request
from services.inference_gateway.engine.ask import Ask, Part

Outcome = Sequence[Part] | BaseException
"""A request's answer in its parts, or what it fails by."""

Tell = Callable[[int, Sequence[Outcome]], None]
"""Takes what became of successive requests, from the one of this number on."""


class Bundle(Ask):
    """Requests of equally many rows, one after the other in ``batch``, whose ``origins`` they are.

    They are taken apart where one of them has to be looked at alone: from then on each is answered, or fails, by
    itself, and the bundle ends with the last of them. Whoever waits is told of each as soon as it is so.
    """

    __slots__ = ("_left", "_members", "_tell")

    def __init__(
        self,
        batch: Batch,
        ids: tuple[str, ...],
        began_s: float,
        tell: Tell,
        *,
        whole: bool,
        version: str = "",
        spans: Sequence[SpanContext | None] = (),
    ) -> None:
        super().__init__(batch, ids, began_s, whole=whole, version=version, spans=spans)
        self.requests = len(batch.origins)
        self._tell = tell
        self._members: tuple[Ask, ...] = ()
        self._left = 0

    def apart(self) -> Sequence[Ask]:
        """See Ask."""
        if self.requests == 1:
            return (self,)
        if not self._members:
            self._members = tuple([self._member(number) for number in range(self.requests)])
            self._left = self.requests
            for number, one in enumerate(self._members):
                one.answered.add_done_callback(partial(self._one_ended, number))
            if self.answered.done():
                self._all_ended(self.answered)
            else:
                self.answered.add_done_callback(self._all_ended)
        return self._members

    def complete(self) -> None:
        """See Ask; whoever waits is told before it is woken."""
        if self.answered.done():
            return
        try:
            self._tell(0, self._outcomes())
        except Exception as error:
            self.answered.set_exception(error)  # a defect, but of this bundle alone
        else:
            self.answered.set_result(None)

    def _outcomes(self) -> Sequence[Outcome]:
        if self.requests == 1:
            return [self.parts]
        [part] = self.parts
        answer, rows = part.answer, self.rows // self.requests
        return [(Part(answer, start, start + rows),) for start in range(part.start, part.end, rows)]

    def _member(self, number: int) -> Ask:
        rows = self.rows // self.requests
        start = number * rows
        batch = one_request(self.batch, start, rows)
        ids, spans = self.ids[start : start + rows], self.spans[number : number + 1]
        one = Ask(batch, ids, self.began_s, whole=self.whole, version=self.version, spans=spans)
        one.parts.extend([Part(part.answer, part.start + start, part.start + start + rows) for part in self.parts])
        return one

    def _one_ended(self, number: int, answered: asyncio.Future[None]) -> None:
        error = None if answered.cancelled() else answered.exception()
        if self.answered.done():
            return  # nobody waits any more: all were told that it is over
        self._left -= 1
        outcome: Outcome = error or self._members[number].parts
        try:
            self._tell(number, [outcome])
        except Exception as defect:
            self._tell(number, [defect])  # of this one, and of no other
        if not self._left:
            self.answered.set_result(None)

    def _all_ended(self, _: asyncio.Future[None]) -> None:
        """Nobody waits any more."""
        for one in self._members:
            one.answered.cancel()
