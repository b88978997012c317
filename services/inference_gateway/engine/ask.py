"""A caller's request on its way to its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from opentelemetry.trace import SpanContext

from services.inference_gateway.domain.answer import Answer, AnsweredRows, Attributions, Prediction
from services.inference_gateway.domain.batch import Batch
from services.inference_gateway.domain.block import Block
from services.inference_gateway.domain.columns import Array

if TYPE_CHECKING:
    from services.inference_gateway.engine.chunk import Chunk

_ROW_BYTES = 64  # what a row takes beside its values


class Part(NamedTuple):
    """Some rows of a request, answered by one version: the rows from ``start`` to ``end`` of ``answer``.

    ``places`` [rows] are their numbers in the request; None when they are all of it, in order. ``attributions`` [rows]
    say what their columns did, where that was asked.
    """

    answer: Answer
    start: int
    end: int
    places: Array | None = None
    attributions: Sequence[Attributions] = ()

    @property
    def version(self) -> int:
        """The version that answered."""
        return self.answer.version

    @property
    def route(self) -> str:
        """The arm that answered."""
        return self.answer.route

    @property
    def ids(self) -> tuple[str, ...]:
        """The rows' prediction ids."""
        return self.answer.ids[self.start : self.end]

    @property
    def outputs(self) -> Mapping[str, Array]:
        """By tensor name, [rows, …] each."""
        return {name: array[self.start : self.end] for name, array in self.answer.outputs.items()}

    def predictions(self) -> Sequence[Prediction]:
        """Row by row."""
        found = AnsweredRows(self.answer, self.start, self.end)
        if not self.attributions:
            return found
        return [replace(one, attributions=did) for one, did in zip(found, self.attributions, strict=True)]


Keep = Callable[[Sequence[Part]], None]
"""What is done with a request's parts between their place on the log and the caller's waking: it must not fail."""


class Ask:
    """One request: who waits for it, and what of it is answered already.

    ``answered`` ends with an error, or without one when ``parts`` are complete; it is cancelled when the caller goes.
    ``bytes`` is what it takes, about. ``left`` counts the arms whose parts are missing; ``held`` are the chunks of
    those that are there. ``whole`` says that one version must answer all rows: that numbered ``version``, if named.
    ``requests`` are how many it stands for, see :class:`Bundle`; ``spans`` are their callers', None where nobody
    records one, and none at all where nobody records any.
    """

    __slots__ = (
        "answered",
        "batch",
        "began_s",
        "bytes",
        "deadline",
        "held",
        "ids",
        "keep",
        "left",
        "marks",
        "parts",
        "priority",
        "requests",
        "rows",
        "spans",
        "tenant",
        "version",
        "whole",
    )

    def __init__(
        self,
        batch: Batch,
        ids: tuple[str, ...],
        began_s: float,
        *,
        marks: tuple[bytes, ...] = (),
        keep: Keep | None = None,
        whole: bool = False,
        version: str = "",
        spans: Sequence[SpanContext | None] = (),
    ) -> None:
        self.batch = batch
        self.ids = ids
        self.began_s = began_s
        self.marks = marks
        self.keep = keep
        self.whole = whole
        self.version = version
        self.spans = spans
        self.tenant = batch.tenant
        self.priority = batch.priority
        self.rows = batch.rows
        self.deadline = batch.deadline_s
        size, features = batch.rows * _ROW_BYTES, batch.features
        if isinstance(features, Block):
            size += features.values.nbytes
        else:
            for one in features:
                size += one.values.nbytes
        self.bytes = size
        self.requests = 1
        self.left = 1
        self.parts: list[Part] = []
        self.held: list[Chunk] = []
        self.answered: asyncio.Future[None] = asyncio.Future()

    @property
    def entries(self) -> int:
        """Of a queue's bounds."""
        return self.requests

    @property
    def waits(self) -> bool:
        """Whether somebody still waits."""
        return not self.answered.done()

    def apart(self) -> Sequence[Ask]:
        """The requests that it stands for, each by itself."""
        return (self,)

    def fail(self, error: BaseException) -> None:
        """Tell whoever waits."""
        if not self.answered.done():
            self.answered.set_exception(error)

    def complete(self) -> None:
        """Wake whoever waits: all parts are there, and logged."""
        if not self.answered.done():
            if self.keep is not None:
                self.keep(self.parts)
            self.answered.set_result(None)


def each(asks: Iterable[Ask]) -> list[Ask]:
    """All requests by themselves."""
    return list(chain.from_iterable([ask.apart() for ask in asks]))
