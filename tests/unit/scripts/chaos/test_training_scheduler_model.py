from __future__ import annotations

from dataclasses import replace

import pytest

from scripts.chaos.findings import Broken
from scripts.chaos.history import Operation, Outcome
from scripts.chaos.models import training_scheduler as model


def call(number: int, kind: str, key: str, result: object = None, outcome: Outcome = Outcome.OK) -> Operation:
    return Operation(number, 0, "c", kind, key, {}, float(number), number + 0.5, outcome, result)


DONE = model.Ended(model.SUCCEEDED, "k", "", {model.FIRST: 2, model.SECOND: 1})
GONE = model.Ended(model.CANCELLED, "k", "", {model.FIRST: 0, model.SECOND: 0})
NOTED = [
    model.Noted("r", model.FIRST, 1, None),
    model.Noted("r", model.FIRST, 2, None),
    model.Noted("r", model.SECOND, 1, 2),
]
SEEN = model.Observed({"r": DONE}, {"r": ["queued", "running", "succeeded"]}, NOTED, 2)
ASKED = [call(0, model.SUBMIT, "k", outcome=Outcome.UNKNOWN), call(1, model.SUBMIT, "k", "r")]


def found(seen: model.Observed, *more: Operation) -> list[Broken]:
    return [one.broken for one in model.check([*ASKED, *more], seen)]


def test_a_run_of_a_request_that_ends_once_is_as_promised() -> None:
    assert found(SEEN, call(2, model.GET, "r", "running"), call(3, model.GET, "r", model.SUCCEEDED)) == []


def test_a_request_starts_one_run() -> None:
    twice = replace(SEEN, runs={"r": DONE, "s": GONE}, announced={**SEEN.announced, "s": ["queued", "cancelled"]})
    assert Broken.DUPLICATED in found(twice, call(2, model.CANCEL, "s", model.CANCELLED))
    assert Broken.LOST in found(replace(SEEN, runs={}, noted=[]))
    stranger = replace(SEEN, runs={"r": replace(DONE, request="other")})
    assert set(found(stranger)) == {Broken.WRONG, Broken.LOST}


@pytest.mark.parametrize(
    ("started", "broken"), [(2, []), (1, [Broken.LOST]), (0, [Broken.LOST]), (3, [Broken.DUPLICATED])]
)
def test_an_incident_starts_a_run_for_each_trigger(started: int, broken: list[Broken]) -> None:
    names = [f"i{number}" for number in range(started)]
    seen = replace(
        SEEN,
        runs={**SEEN.runs, **{one: replace(DONE, request="", incident="bad") for one in names}},
        announced={**SEEN.announced, **{one: ["queued", "running", "succeeded"] for one in names}},
        noted=[*NOTED, *(replace(line, run=one) for one in names for line in NOTED)],
    )
    assert found(seen, call(2, model.INCIDENT, "bad")) == broken


@pytest.mark.parametrize("state", ["running", "failed"])
def test_each_run_ends_and_none_fails(state: str) -> None:
    assert found(replace(SEEN, runs={"r": replace(DONE, state=state)})) != []


def test_a_run_stays_as_it_was_told_to_have_ended() -> None:
    assert found(SEEN, call(2, model.GET, "r", model.CANCELLED)) == [Broken.LOST]
    assert found(SEEN, call(2, model.CANCEL, "r", "running")) == [Broken.WRONG]
    cancelled = model.Observed({"r": GONE}, {"r": ["queued", "cancelled"]}, [], 2)
    assert found(cancelled) == [Broken.WRONG]  # nobody asked for that
    assert found(cancelled, call(2, model.CANCEL, "r", None, Outcome.UNKNOWN)) == []


@pytest.mark.parametrize(
    ("states", "broken"),
    [
        (["queued", "running"], Broken.LOST),
        (["queued", "running", "succeeded", "succeeded"], Broken.DUPLICATED),
        (["running", "queued", "succeeded"], Broken.WRONG),
    ],
)
def test_what_is_announced_is_what_happened(states: list[str], broken: Broken) -> None:
    assert broken in found(replace(SEEN, announced={"r": states}))


@pytest.mark.parametrize(
    ("noted", "broken"),
    [
        ([*NOTED, NOTED[-1]], Broken.DUPLICATED),  # an attempt was called twice
        ([*NOTED, model.Noted("r", model.FIRST, 3, None)], Broken.WRONG),  # an attempt that nobody stored
        ([NOTED[0], NOTED[2], NOTED[1]], Broken.DUPLICATED),  # a finished step ran again
        ([*NOTED[:2], model.Noted("r", model.SECOND, 1, 1)], Broken.WRONG),  # a late attempt's output counted
        (NOTED[:2], Broken.LOST),
    ],
)
def test_a_finished_step_is_not_run_again(noted: list[model.Noted], broken: Broken) -> None:
    assert broken in found(replace(SEEN, noted=noted))
