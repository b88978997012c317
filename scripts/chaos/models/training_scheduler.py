"""What must hold of the scheduler: a run a request and an incident, one end a run, no finished step run again.

A step may be called more than once (its process died), each time as another attempt; what a step made that was
committed is what the next one is given, and it is not called again.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from scripts.chaos.findings import Finding, duplicated, lost, wrong
from scripts.chaos.history import Operation, Outcome, acknowledged

SUBMIT, GET, CANCEL, INCIDENT, TRIGGERS = "submit", "get", "cancel", "incident", "triggers"
FIRST, SECOND = "first", "second"
CANCELLED, SUCCEEDED = "cancelled", "succeeded"
FINAL = frozenset({CANCELLED, SUCCEEDED, "failed"})


@dataclass(frozen=True, slots=True)
class Ended:
    """A run at the end: its state, what started it (one of ``request`` and ``incident``), and attempts by step."""

    state: str
    request: str
    incident: str
    attempts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Noted:
    """A line that a step wrote: which attempt of it, and whose output it was given (None: it takes none)."""

    run: str
    step: str
    attempt: int
    seen: int | None


@dataclass(frozen=True, slots=True)
class Observed:
    """Every run at the end, what was announced of it (each event id once, in order), and what steps noted.

    ``triggers``: how many the endpoint of an incident has.
    """

    runs: Mapping[str, Ended]
    announced: Mapping[str, Sequence[str]]
    noted: Sequence[Noted]
    triggers: int


def check(operations: Sequence[Operation], observed: Observed) -> list[Finding]:
    """Every broken promise."""
    return [
        *_submitted(operations, observed),
        *_incidents(operations, observed),
        *_ends(operations, observed),
        *_told(operations, observed),
        *_announced(observed),
        *_steps(observed),
    ]


def _submitted(operations: Sequence[Operation], observed: Observed) -> Iterator[Finding]:
    runs: defaultdict[str, list[str]] = defaultdict(list)
    for run_id, run in observed.runs.items():
        if not run.incident:
            runs[run.request].append(run_id)
    asked = {one.key for one in operations if one.kind == SUBMIT}
    yield from (duplicated(f"request {one} started {made}") for one, made in runs.items() if len(made) > 1)
    yield from (wrong(f"{made} of request {one}, which nobody made") for one, made in runs.items() if one not in asked)
    for one in acknowledged(operations, SUBMIT):
        if one.result not in runs.get(one.key, []):
            yield lost(f"request {one.key} was answered {one.result}; there is {runs.get(one.key)}")


def _incidents(operations: Sequence[Operation], observed: Observed) -> Iterator[Finding]:
    """An incident starts one run for each trigger: the runs of the one before it had ended when it came."""
    started = Counter(run.incident for run in observed.runs.values() if run.incident)
    asked = {one.key for one in operations if one.kind == INCIDENT}
    yield from (wrong(f"a run of incident {one}, which nobody told of") for one in started if one not in asked)
    for one, count in started.items():
        if count > observed.triggers:
            yield duplicated(f"incident {one} started {count} runs for {observed.triggers} triggers")
    for key in sorted({one.key for one in acknowledged(operations, INCIDENT)}):
        if started[key] < observed.triggers:
            yield lost(f"incident {key} started {started[key]} runs for {observed.triggers} triggers")


def _ends(operations: Sequence[Operation], observed: Observed) -> Iterator[Finding]:
    """Each run ends, and nothing in one can fail."""
    unwanted = {one.key for one in operations if one.kind == CANCEL}
    for run_id, run in observed.runs.items():
        if run.state not in FINAL:
            yield lost(f"{run_id} is {run.state} and comes to no end")
        elif run.state not in (CANCELLED, SUCCEEDED):
            yield wrong(f"{run_id} is {run.state}, and nothing in it can fail")
        elif run.state == CANCELLED and run_id not in unwanted:
            yield wrong(f"{run_id} is cancelled, and nobody asked for that")


def _told(operations: Sequence[Operation], observed: Observed) -> Iterator[Finding]:
    """A run that was told to have ended stays as it ended, and one that was cancelled has ended."""
    for one in operations:
        if one.kind not in (GET, CANCEL) or one.outcome is not Outcome.OK:
            continue
        if one.result in FINAL:
            state = observed.runs[one.key].state if one.key in observed.runs else "gone"
            if state != one.result:
                yield lost(f"{one.key} was told to be {one.result}, and is {state}")
        elif one.kind == CANCEL:
            yield wrong(f"{one.key} was cancelled, and is told to be {one.result}")


def _announced(observed: Observed) -> Iterator[Finding]:
    for run_id, run in observed.runs.items():
        states = list(observed.announced.get(run_id, []))
        if len(set(states)) < len(states):
            yield duplicated(f"{run_id} was announced as {states}")
        whole = ["queued", "running", run.state]
        if states != whole and not (run.state == CANCELLED and states == ["queued", CANCELLED]):
            missing = [one for one in whole if one not in states]
            yield (lost if missing else wrong)(f"{run_id} is {run.state} and was announced as {states}")
    yield from (wrong(f"event of {one}, which is not there") for one in observed.announced if one not in observed.runs)


def _steps(observed: Observed) -> Iterator[Finding]:
    counts = Counter((one.run, one.step, one.attempt) for one in observed.noted)
    yield from (duplicated(f"{one} was called {count} times") for one, count in counts.items() if count > 1)
    over: set[str] = set()
    for one in observed.noted:
        run = observed.runs.get(one.run)
        if run is None:
            yield wrong(f"a step of {one.run} ran, which is not there")
        else:
            yield from _step(one, run, over)
    called = {(one.run, one.step) for one in observed.noted}
    for run_id, run in observed.runs.items():
        if run.state == SUCCEEDED and not {(run_id, FIRST), (run_id, SECOND)} <= called:
            yield lost(f"{run_id} succeeded, and not all of its steps ran")


def _step(one: Noted, run: Ended, over: set[str]) -> Iterator[Finding]:
    """A call of a step, after those before it; ``over``: runs whose first step is."""
    if one.attempt > run.attempts[one.step]:
        yield wrong(f"{one.run}: {one.step} ran as attempt {one.attempt} of {run.attempts[one.step]}")
    if one.step == SECOND:
        over.add(one.run)
        if one.seen != run.attempts[FIRST]:
            yield wrong(f"{one.run}: attempt {run.attempts[FIRST]} of the first step counts, {one.seen} was given on")
    elif one.run in over:
        yield duplicated(f"{one.run}: its first step was called again after the second")
