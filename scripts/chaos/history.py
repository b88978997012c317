"""What clients asked for and what they were told: an append-only file, and the same in memory."""

from __future__ import annotations

import asyncio
import enum
import json
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TextIO, TypeVar

from slipway.errors import Kind, SlipwayError

T = TypeVar("T")
_PAUSE_S = 0.1


class Outcome(enum.StrEnum):
    """What a caller knows afterwards: it was done; it was refused and not done; or neither is known."""

    OK = "ok"
    REFUSED = "refused"
    UNKNOWN = "unknown"


# After these the service may have done what was asked, or may do it yet.
AMBIGUOUS = frozenset(
    {
        Kind.UNAVAILABLE,
        Kind.DEADLINE_EXCEEDED,
        Kind.CANCELLED,
        Kind.INTERNAL,
        Kind.RESOURCE_EXHAUSTED,
    }
)


@dataclass(frozen=True, slots=True)
class Operation:
    """One call. Times are monotonic seconds; ``ended_s`` is None while, or if for ever, nothing was answered.

    ``key`` names what the call is about; calls with the same ``kind`` and ``key`` are the same intention.
    """

    number: int
    session: int
    client: str
    kind: str
    key: str
    arguments: Mapping[str, Any]
    began_s: float
    ended_s: float | None = None
    outcome: Outcome = Outcome.UNKNOWN
    result: Any = None


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that a fault did: ``kind`` is the fault's name, ``facts`` what the models need to know of it."""

    kind: str
    began_s: float
    ended_s: float
    facts: Mapping[str, Any]


@dataclass
class History:
    """Every operation and mark of a cell; ``session`` counts how often the cell was begun, from 0."""

    operations: list[Operation] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    session: int = 0
    _file: TextIO | None = None

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator[History]:
        """Go on with the history in ``path``, or begin one; a torn last line is left out."""
        history = cls()
        if path.exists():
            history._load(path)
        with path.open("a", encoding="utf-8") as file:
            file.write("\n")
            history._file = file
            yield history
            history._file = None

    async def attempt(
        self,
        client: str,
        kind: str,
        key: str,
        call: Callable[[], Awaitable[T]],
        *,
        told: Callable[[T], Any] = lambda _: None,
        **arguments: Any,
    ) -> T | None:
        """Make one call; its answer, or None when what became of it is not known.

        ``told`` makes of the answer what the file keeps, in JSON's types. An error that says that nothing was
        done is noted as refused and raised.
        """
        number = self.invoked(client, kind, key, arguments)
        try:
            answer = await call()
        except SlipwayError as error:
            ambiguous = error.kind in AMBIGUOUS
            self.ended(number, Outcome.UNKNOWN if ambiguous else Outcome.REFUSED, error.reason)
            if not ambiguous:
                raise
            await asyncio.sleep(_PAUSE_S)  # callers that come again at once would be the fault themselves
            return None
        self.ended(number, Outcome.OK, told(answer))
        return answer

    def invoked(self, client: str, kind: str, key: str, arguments: Mapping[str, Any]) -> int:
        """Note that a call is about to be made; its number."""
        one = Operation(len(self.operations), self.session, client, kind, key, arguments, time.monotonic())
        self.operations.append(one)
        self._write(
            {
                "invoked": one.number,
                "session": one.session,
                "client": client,
                "kind": kind,
                "key": key,
                "arguments": arguments,
                "at_s": one.began_s,
            }
        )
        return one.number

    def ended(self, number: int, outcome: Outcome, result: Any) -> None:
        """Note what became of a call."""
        now_s = time.monotonic()
        self.operations[number] = replace(self.operations[number], ended_s=now_s, outcome=outcome, result=result)
        self._write({"ended": number, "at_s": now_s, "outcome": outcome.value, "result": result})

    def mark(self, kind: str, began_s: float, **facts: Any) -> None:
        """Note what a fault has done, from ``began_s`` until now."""
        one = Mark(kind, began_s, time.monotonic(), facts)
        self.marks.append(one)
        self._write({"mark": kind, "began_s": began_s, "ended_s": one.ended_s, "facts": facts})

    def _write(self, line: Mapping[str, Any]) -> None:
        if self._file is not None:
            # To the system at once: the history outlives this process, however it ends.
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()

    def _load(self, path: Path) -> None:
        for line in _lines(path):
            if "invoked" in line:
                names = ("session", "client", "kind", "key", "arguments")
                given = {name: line[name] for name in names}
                self.operations.append(Operation(number=line["invoked"], began_s=line["at_s"], **given))
            elif "ended" in line:
                self.operations[line["ended"]] = replace(
                    self.operations[line["ended"]],
                    ended_s=line["at_s"],
                    outcome=Outcome(line["outcome"]),
                    result=line["result"],
                )
            else:
                self.marks.append(Mark(line["mark"], line["began_s"], line["ended_s"], line["facts"]))
        self.session = 1 + max((one.session for one in self.operations), default=-1)


def acknowledged(operations: Sequence[Operation], kind: str) -> Iterator[Operation]:
    """The operations of a kind that were answered well, in the order they were asked."""
    return (one for one in operations if one.kind == kind and one.outcome is Outcome.OK)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    for text in path.read_text(encoding="utf-8").splitlines():
        try:
            yield json.loads(text)
        except ValueError:
            continue  # empty, or torn by the death of whoever wrote it
