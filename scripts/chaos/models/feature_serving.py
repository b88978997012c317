"""What must hold of feature serving: the newest value of each entity, each event of a window once.

Plain values: each entity is written by one client, with rising values, so that what is read is not under what was
acknowledged before the read, and nothing that nobody wrote. Windowed values: every event that was acknowledged
counts once, every one that was never answered at most once. What a store that was flushed has forgotten is
written again; until then a read may find nothing, and in the end all is there.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from scripts.chaos.findings import Finding, duplicated, lost, wrong
from scripts.chaos.history import Mark, Operation, Outcome

WRITE, READ, GLANCE = "write", "read", "glance"
EVENTS, PUBLISHED, ROWS = "events", "published", "rows"
FLUSH = "redis-flush"


@dataclass(frozen=True, slots=True)
class Observed:
    """The online values at the end, None where there is none.

    ``values``: entity to value; ``windows``: entity to count and sum.
    """

    values: Mapping[str, int | None]
    windows: Mapping[str, tuple[int, float] | None]


@dataclass
class _Tally:
    """What a window may hold: at least the acknowledged, at most all that were asked for."""

    least: Counter[float] = field(default_factory=Counter)
    most: Counter[float] = field(default_factory=Counter)


def check(operations: Sequence[Operation], marks: Sequence[Mark], observed: Observed) -> list[Finding]:
    """Every broken promise."""
    return [
        *_reads(operations, marks),
        *_final(operations, observed),
        *_published(operations, observed),
        *_windows(operations, observed),
    ]


def _reads(operations: Sequence[Operation], marks: Sequence[Mark]) -> Iterator[Finding]:
    """A read sees the last write that was answered before it, or a later one, unless a flush came."""
    flushes = [one for one in marks if one.kind == FLUSH]
    told: dict[str, list[Operation]] = defaultdict(list)
    asked: dict[str, int] = {}
    for one in operations:
        if one.kind == WRITE:
            asked[one.key] = one.arguments["value"]
            if one.outcome is Outcome.OK:
                told[one.key].append(one)
        elif one.kind in (READ, GLANCE) and one.outcome is Outcome.OK:
            before = next((each for each in reversed(told[one.key]) if (each.ended_s or 0.0) < one.began_s), None)
            if before is not None:
                # Whoever glances does not know what is asked for meanwhile.
                yield from _read(one, before, asked[one.key] if one.kind == READ else one.result or 0, flushes)


def _read(read: Operation, last: Operation, most: int, flushes: Sequence[Mark]) -> Iterator[Finding]:
    least = last.arguments["value"]
    if read.result is None:
        ended_s = read.ended_s or read.began_s
        if not any(last.began_s < flush.ended_s and flush.began_s < ended_s for flush in flushes):
            yield lost(f"{read.key} was {least}, and a read after that found nothing")
    elif read.result < least:
        yield lost(f"{read.key} was {least}, and a read after that found {read.result}")
    elif read.result > most:
        yield wrong(f"{read.key} reads {read.result}, which nobody has written yet")


def _final(operations: Sequence[Operation], observed: Observed) -> Iterator[Finding]:
    writes = [one for one in operations if one.kind == WRITE]
    asked = {(one.key, one.arguments["value"]) for one in writes}
    for key, one in {one.key: one for one in writes if one.outcome is Outcome.OK}.items():
        yield from _stands(key, one.arguments["value"], observed.values.get(key), asked)


def _published(operations: Sequence[Operation], observed: Observed) -> Iterator[Finding]:
    published = [one for one in operations if one.kind == ROWS]
    rows = [(entity, one.arguments["amount"], one.outcome) for one in published for entity in one.arguments["entities"]]
    asked = {(entity, amount) for entity, amount, _ in rows}
    for entity, least in {entity: amount for entity, amount, told in rows if told is Outcome.OK}.items():
        yield from _stands(entity, least, observed.values.get(entity), asked)


def _stands(key: str, least: int, value: int | None, asked: set[tuple[str, int]]) -> Iterator[Finding]:
    if value is None:
        yield lost(f"{key} was {least}, and there is nothing in the end")
    elif value < least:
        yield lost(f"{key} was {least}, and is {value} in the end")
    elif (key, value) not in asked:
        yield wrong(f"{key} is {value}, which nobody wrote")


def _windows(operations: Sequence[Operation], observed: Observed) -> Iterator[Finding]:
    for key, tally in _tallies(operations).items():
        least, most = tally.least.total(), tally.most.total()
        found = observed.windows.get(key)
        if found is None:
            if least:
                yield lost(f"the window of {key} has no value; {least} events were acknowledged")
            continue
        count, total = found
        if count < least:
            yield lost(f"the window of {key} counts {count} events of {least} acknowledged")
        elif count > most:
            yield duplicated(f"the window of {key} counts {count} events, and no more than {most} were sent")
        elif count == most and total != sum(amount * times for amount, times in tally.most.items()):
            yield wrong(f"the window of {key} has all its {count} events, and another sum: {total}")


def _tallies(operations: Sequence[Operation]) -> dict[str, _Tally]:
    """What each entity's window may hold. The same ``key`` asked again is the same event."""
    tallies: dict[str, _Tally] = defaultdict(_Tally)
    seen: dict[str, bool] = {}
    for one in operations:
        if one.kind not in (EVENTS, PUBLISHED):
            continue
        amount, known, done = float(one.arguments["amount"]), one.key in seen, one.outcome is Outcome.OK
        for entity in one.arguments["entities"]:
            tally = tallies[entity]
            tally.most[amount] += 0 if known else 1
            tally.least[amount] += 1 if done and not seen.get(one.key, False) else 0
        seen[one.key] = done or seen.get(one.key, False)
    return tallies
