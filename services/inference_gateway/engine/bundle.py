"""Requests that came together and differ in their numbers alone, as one: what is done for one is done for all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from operator import itemgetter

from opentelemetry.trace import SpanContext

from services.inference_gateway.domain.batch import Batch, some_requests
from services.inference_gateway.engine.ask import Ask, Part

Outcome = Sequence[Part] | BaseException
"""A request's answer in its parts, or what it fails by."""

Tell = Callable[[Sequence[int], Sequence[Outcome]], None]
"""Takes what became of the requests of these numbers, from 0."""


class Bundle(Ask):
    """Requests of equally many rows, one after the other in ``batch``, whose ``origins`` they are.

    Where not all of them go the same way it is divided into bundles that do, and taken apart where one has to be looked
    at alone: from then on each piece is answered, or fails, by itself, and the bundle ends with the last of them.
    Whoever waits is told of each as soon as it is so.
    """

    __slots__ = ("_left", "_pieces", "_tell", "_told")

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
        self._pieces: Sequence[tuple[Sequence[int], Bundle]] = ()
        self._left = 0
        self._told = bytearray()
        """By request, whether a piece has told of it."""

    def apart(self) -> Sequence[Ask]:
        """See Ask."""
        if self.requests == 1:
            return (self,)
        if not self._pieces:
            self.divided([[number] for number in range(self.requests)])
        found: list[tuple[int, Ask]] = []
        for numbers, piece in self._pieces:
            found += zip(numbers, piece.apart(), strict=True)
        return [one for _, one in sorted(found, key=itemgetter(0))]

    def divided(self, groups: Sequence[Sequence[int]]) -> Sequence[Bundle]:
        """The bundles of these requests, which are all of them, by their numbers, ascending; once, and never again."""
        self._told = bytearray(self.requests)
        self._left = len(groups)
        self._pieces = [(numbers, self._piece(numbers)) for numbers in groups]
        for numbers, piece in self._pieces:
            piece.answered.add_done_callback(partial(self._one_ended, numbers))
        if self.answered.done():
            self._all_ended(self.answered)
        else:
            self.answered.add_done_callback(self._all_ended)
        return self._of_pieces()

    def complete(self) -> None:
        """See Ask; whoever waits is told before it is woken."""
        if self.answered.done():
            return
        try:
            self._tell(range(self.requests), self._outcomes())
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

    def _of_pieces(self) -> Sequence[Bundle]:
        return [piece for _, piece in self._pieces]

    def _piece(self, numbers: Sequence[int]) -> Bundle:
        rows = self.rows // self.requests
        piece = Bundle(
            some_requests(self.batch, numbers, rows),
            self._ids(numbers, rows),
            self.began_s,
            partial(self._passed, numbers),
            whole=self.whole,
            version=self.version,
            spans=[self.spans[number] for number in numbers] if self.spans else (),
        )
        # What is answered already is only ever taken apart: a piece is one request.
        for part in self.parts:
            start = part.start + numbers[0] * rows
            piece.parts.append(Part(part.answer, start, start + piece.rows))
        return piece

    def _ids(self, numbers: Sequence[int], rows: int) -> tuple[str, ...]:
        ids = self.ids
        if rows == 1:
            return tuple([ids[number] for number in numbers])
        return tuple([one for number in numbers for one in ids[number * rows : (number + 1) * rows]])

    def _passed(self, numbers: Sequence[int], places: Sequence[int], outcomes: Sequence[Outcome]) -> None:
        """Tell of a piece's requests, which have these numbers here, by their numbers there."""
        mine = [numbers[place] for place in places]
        self._tell(mine, outcomes)
        for number in mine:
            self._told[number] = True

    def _one_ended(self, numbers: Sequence[int], answered: asyncio.Future[None]) -> None:
        error = None if answered.cancelled() else answered.exception()
        if self.answered.done():
            return  # nobody waits any more: all were told that it is over
        self._left -= 1
        if error is not None:
            untold = [number for number in numbers if not self._told[number]]
            self._tell(untold, [error] * len(untold))
        if not self._left:
            self.answered.set_result(None)

    def _all_ended(self, _: asyncio.Future[None]) -> None:
        """Nobody waits any more."""
        for piece in self._of_pieces():
            piece.answered.cancel()
