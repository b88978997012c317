"""What must hold of requests that come by events: each is answered, once for its event id, in the order of its key.

An error is an answer where trying again may help; any other is none that these requests can get. A request that comes
again is answered again under the same id, which readers drop.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from scripts.chaos.findings import Finding, duplicated, lost, wrong
from scripts.chaos.history import Mark, Operation, Outcome

EVENT = "event"
REDELIVERED = "redeliver"
_PASSING = frozenset({4, 8, 14})


@dataclass(frozen=True, slots=True)
class Response:
    """One event of the responses' topic: its key, the request that it answers, and the rows or the error's code."""

    key: str
    request: str
    rows: Sequence[tuple[str, int, float]] = ()
    code: int = 0


def answered(operations: Sequence[Operation], responses: Sequence[Response]) -> list[Operation]:
    """The requests by events with what they were answered, as if their callers had been told."""
    rows = {one.request: one.rows for one in responses if not one.code}
    asked = {one.key: one for one in operations if one.kind == EVENT}
    return [
        replace(one, ended_s=None, outcome=Outcome.OK, result=rows[key])
        if key in rows
        else replace(one, outcome=Outcome.UNKNOWN, result=None)
        for key, one in asked.items()
    ]


def check(operations: Sequence[Operation], marks: Sequence[Mark], responses: Sequence[Response]) -> list[Finding]:
    """Every broken promise."""
    return [*_each(operations, responses), *_in_order(marks, responses)]


def _each(operations: Sequence[Operation], responses: Sequence[Response]) -> Iterator[Finding]:
    asked = {one.key for one in operations if one.kind == EVENT}
    published = {one.key for one in operations if one.kind == EVENT and one.outcome is Outcome.OK}
    counts = Counter(one.request for one in responses)
    yield from (lost(f"{one} was published and never answered") for one in sorted(published - counts.keys()))
    yield from (wrong(f"{one} is answered, and nobody asked it") for one in sorted(counts.keys() - asked))
    yield from (duplicated(f"{one} has {count} responses") for one, count in counts.items() if count > 1)
    for one in responses:
        if one.code and one.code not in _PASSING:
            yield wrong(f"{one.request} was refused by code {one.code}")


def _in_order(marks: Sequence[Mark], responses: Sequence[Response]) -> Iterator[Finding]:
    if any(one.kind == REDELIVERED for one in marks):
        return  # on the embedded log they come again in the place of the first, and shuffled
    numbers: dict[str, list[int]] = defaultdict(list)
    for one in responses:
        numbers[one.key].append(int(one.request.rpartition("-")[2]))
    for key, found in numbers.items():
        if found != sorted(found):
            yield wrong(f"the responses of {key} are not in the order of its requests")
