"""What must hold of the gateway: every answer is what its version says, is on the log once, and is counted once.

A row has an id: the caller's, who asks under it until it is answered, and again; or one that the gateway made, which a
caller without an answer never learns. A version that answers was named by an endpoint that somebody put before.
What the gateway said that it could not log (a full spool) may be missing from the log, and nothing else. The same holds
of rows that are asked about by events; what holds of their responses is told in :mod:`scripts.chaos.models.responses`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from scripts.chaos.findings import Finding, duplicated, lost, wrong
from scripts.chaos.history import Mark, Operation, Outcome
from scripts.chaos.models import responses

KEYED, KEYLESS, PUT = "keyed", "keyless", "put"
STEP = 1000
"""A version adds this many times its number to the sum of a row's two columns."""

Row = tuple[str, int, float]
"""A prediction id, the version that answered, and its answer."""


@dataclass(frozen=True, slots=True)
class Observed:
    """The prediction log at the end, each event once, and what others made of it.

    ``rows``: those that were answered; ``shadowed``: how often an id is among the scores of shadows; ``counted``:
    predictions by the monitor; ``unlogged``: rows that the gateway said it could not log; ``waiting``: batches that
    were not shipped in time; ``responses``: to requests by events, each event id once.
    """

    rows: Sequence[Row]
    shadowed: Mapping[str, int]
    counted: int
    unlogged: int = 0
    waiting: int = 0
    responses: Sequence[responses.Response] = ()


def check(operations: Sequence[Operation], marks: Sequence[Mark], observed: Observed) -> list[Finding]:
    """Every broken promise."""
    by_call = [one for one in operations if one.kind in (KEYED, KEYLESS)]
    asked = [*by_call, *responses.answered(operations, observed.responses)]
    return [
        *responses.check(operations, marks, observed.responses),
        *_answers(asked),
        *_versions(operations, observed),
        *_logged(asked, observed),
        *_strangers(asked, observed),
        *_counted(observed),
    ]


def _answers(asked: Sequence[Operation]) -> Iterator[Finding]:
    """Each answer is its version's, and an id has one."""
    first: dict[str, tuple[int, float]] = {}
    for one in asked:
        for prediction_id, version, value in one.result if one.outcome is Outcome.OK else ():
            wanted = one.arguments["a"] + _number(prediction_id) + STEP * version
            if value != wanted:
                yield wrong(f"{prediction_id} was answered {value} by version {version}, which says {wanted}")
            told = first.setdefault(prediction_id, (version, value))
            if told != (version, value):
                yield wrong(f"{prediction_id} was answered {told}, and then {(version, value)}")


def _versions(operations: Sequence[Operation], observed: Observed) -> Iterator[Finding]:
    """A version answers only after somebody has named it."""
    named: dict[int, float] = {}
    for one in operations:
        for version in one.arguments["versions"] if one.kind == PUT else ():
            named.setdefault(version, one.began_s)
    for one in operations:
        if one.kind in (KEYED, KEYLESS) and one.outcome is Outcome.OK and one.ended_s is not None:
            for prediction_id, version, _ in one.result:
                if named.get(version, float("inf")) > one.ended_s:
                    yield wrong(f"{prediction_id} was answered by version {version}, which nobody had named")
    yield from (
        wrong(f"version {one} is on the log, and nobody named it") for _, one, _ in observed.rows if one not in named
    )


def _logged(asked: Sequence[Operation], observed: Observed) -> Iterator[Finding]:
    """What was answered is on the log as it was answered, once."""
    counts = Counter(prediction_id for prediction_id, *_ in observed.rows)
    logged = {prediction_id: (version, value) for prediction_id, version, value in observed.rows}
    answered = {
        prediction_id: (version, value)
        for one in asked
        if one.outcome is Outcome.OK
        for prediction_id, version, value in one.result
    }
    missing = sorted(set(answered) - set(logged))
    # Answers that did not arrive were logged or not, as those that did.
    unheard = sum(one.arguments["rows"] for one in asked if one.outcome is Outcome.UNKNOWN)
    if len(missing) > observed.unlogged:
        yield from (lost(f"{one} was answered and is not on the log") for one in missing)
    elif observed.unlogged > len(missing) + unheard:
        yield wrong(
            f"{observed.unlogged} rows are said not to be logged; {len(missing)} are missing, {unheard} unheard of"
        )
    yield from (duplicated(f"{one} is {count} times on the log") for one, count in counts.items() if count > 1)
    for one, told in answered.items():
        if one in logged and logged[one] != told:
            yield wrong(f"{one} was answered {told}, and the log says {logged[one]}")
    twice = [one for one, count in observed.shadowed.items() if count > 1]
    yield from (duplicated(f"{one} is {observed.shadowed[one]} times on the log as a shadow's") for one in twice)


def _strangers(asked: Sequence[Operation], observed: Observed) -> Iterator[Finding]:
    """What is on the log was asked for: under its id, or by a caller who got no answer and so no id."""
    told = {row[0] for one in asked if one.outcome is Outcome.OK for row in one.result}
    keyed = {f"{one.key}.{row}" for one in asked if one.kind != KEYLESS for row in range(one.arguments["rows"])}
    strangers = {prediction_id for prediction_id, *_ in observed.rows} - told - keyed
    unheard = sum(one.arguments["rows"] for one in asked if one.kind == KEYLESS and one.outcome is Outcome.UNKNOWN)
    if len(strangers) > unheard:
        yield wrong(
            f"{len(strangers)} rows are on the log that nobody heard of; {unheard} were asked for without an answer"
        )


def _counted(observed: Observed) -> Iterator[Finding]:
    if observed.waiting:
        yield lost(f"{observed.waiting} batches still wait to be shipped")
    distance = observed.counted - len(observed.rows)
    if distance:
        told = f"the monitor counts {observed.counted} predictions of {len(observed.rows)} on the log"
        yield duplicated(told) if distance > 0 else lost(told)


def _number(prediction_id: str) -> int:
    return int(prediction_id.rpartition(".")[2])
