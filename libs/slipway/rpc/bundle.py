"""Calls that came together and are answered together."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from opentelemetry.trace import INVALID_SPAN, Span, SpanContext

if TYPE_CHECKING:
    from slipway_front import Call


Tell = Callable[[Sequence[int], Sequence[bytes | BaseException]], None]
"""Takes what the calls of these numbers, from 0, are answered, or fail by."""


class Kind(Protocol):
    """What the calls of a bundle have in common; one object for all of them."""

    @property
    def most(self) -> int:
        """How many may go together, at least 1."""
        ...


class Together(Protocol):
    """Who makes calls of a bundle, and until when they wait, in monotonic seconds."""

    principal: str
    deadline_s: float

    @property
    def traces(self) -> Sequence[SpanContext]:
        """The span of each call, invalid for one that has no trace; none where no call has one."""
        ...


class Bundling(Protocol):
    """What a servicer gives beside a method that takes bytes: the answers to several calls at once."""

    def kind(self, data: bytes) -> tuple[Any, Any] | None:
        """The :class:`Kind` of a call by its message, and what is read of that; None for one that is the method's."""
        ...

    def begin_together(self, kind: Any, read: Sequence[Any], caller: Together, tell: Tell) -> asyncio.Future[Any]:
        """Begin to answer calls by what was ``read`` of each, and tell each one's answer, or what it fails by.

        What is given ends when all is told, or with what all others fail by; it is cancelled when nobody waits any
        more. Raises Apart, and what all of them fail by, at once.
        """
        ...


class Apart(Exception):
    """These calls can't be answered together now: each is one for the method."""


Left = Callable[["Bundle", int], None]
"""Takes a bundle and the place of a call in it."""


class Bundle:
    """Calls of one kind and one caller that end within the same hundredth of a second, what is read of each, its span.

    ``error`` is what they were refused by before anything of them was looked at.
    """

    __slots__ = (
        "_on_left",
        "began",
        "calls",
        "deadline_s",
        "error",
        "kind",
        "limit_s",
        "messages",
        "principal",
        "read",
        "spans",
        "told",
        "traced",
        "work",
    )

    def __init__(
        self, kind: Kind | None, principal: str, limit_s: float, on_left: Left, error: Exception | None = None
    ) -> None:
        """``on_left`` is called with the place of a call whose caller is gone before it was told anything."""
        self.kind = kind
        self.principal = principal
        self.limit_s = limit_s
        self.deadline_s = time.monotonic() + limit_s
        self.error = error
        self.began = time.perf_counter()
        self.calls: list[Call] = []
        self.messages: list[bytes] = []
        self.read: list[Any] = []
        self.spans: list[Span] = []
        self.traced = False
        """Whether a call has a trace."""
        self.told = bytearray()
        """By call, whether it has got its answer or its status."""
        self.work: asyncio.Future[Any] | None = None
        """What answers them, once it is begun and while it goes on."""
        self._on_left = on_left

    def add(self, call: Call, message: bytes, read: Any, span: Span = INVALID_SPAN) -> None:
        """One more."""
        self.spans.append(span)
        self.traced = self.traced or span is not INVALID_SPAN
        self.calls.append(call)
        self.messages.append(message)
        self.read.append(read)
        self.told.append(False)

    def clear(self) -> None:
        """Have none in it."""
        self.calls, self.messages, self.read, self.spans = [], [], [], []
        self.told.clear()

    @property
    def traces(self) -> Sequence[SpanContext]:
        """See Together."""
        return [span.get_span_context() for span in self.spans] if self.traced else ()

    @property
    def untold(self) -> Iterator[int]:
        """The places of those who wait; each is told once it is given."""
        for place, told in enumerate(self.told):
            if not told:
                self.told[place] = True
                yield place

    def leave(self, number: int) -> bool:
        """The caller of a call is gone, by its number; whether nobody waits any more."""
        for place, call in enumerate(self.calls):
            if call.id == number and not self.told[place]:
                self.told[place] = True
                self._on_left(self, place)
        return all(self.told)
