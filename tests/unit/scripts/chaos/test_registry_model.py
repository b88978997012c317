from __future__ import annotations

from dataclasses import replace

import pytest

from scripts.chaos.findings import Broken
from scripts.chaos.history import Operation, Outcome
from scripts.chaos.models import registry as model


def call(
    number: int, kind: str, key: str, outcome: Outcome, result: int | None = None, **arguments: object
) -> Operation:
    return Operation(number, 0, "c", kind, key, arguments, float(number), number + 0.5, outcome, result)


HISTORY = [
    call(0, model.REGISTER, "r1", Outcome.OK, 1, model="m"),
    call(1, model.MOVE, "a/1", Outcome.OK, name="a", version=1),
    call(2, model.PUT, "a/1", Outcome.OK, 1, name="a", weight=5),
    call(3, model.LOOK_MOVE, "a", Outcome.OK, 1),
    call(4, model.REGISTER, "r2", Outcome.UNKNOWN, model="m"),
    call(5, model.PUT, "a/2", Outcome.UNKNOWN, name="a", weight=6),
]
# What was never answered may have been done, and here was not.
SOUND = model.Observed(
    versions={"m": {1: "r1"}},
    aliases={"a": 1},
    weights={"a": 5},
    created=[("m", 1)],
    moves=[("a", 0, 1)],
    puts=[(1, "a", 5)],
)


def test_a_sound_registry() -> None:
    assert model.check(HISTORY, SOUND) == []


def test_what_was_not_answered_may_be_there() -> None:
    done = replace(
        SOUND,
        versions={"m": {1: "r1", 2: "r2"}},
        created=[("m", 1), ("m", 2)],
        weights={"a": 6},
        puts=[(1, "a", 5), (2, "a", 6)],
    )
    assert model.check(HISTORY, done) == []


@pytest.mark.parametrize(
    ("broken", "observed"),
    [
        (Broken.LOST, replace(SOUND, versions={"m": {}}, created=[])),
        (Broken.DUPLICATED, replace(SOUND, versions={"m": {1: "r1", 2: "r1"}}, created=[("m", 1), ("m", 2)])),
        (Broken.WRONG, replace(SOUND, versions={"m": {1: "r1", 2: "r9"}}, created=[("m", 1), ("m", 2)])),
        (Broken.LOST, replace(SOUND, aliases={})),
        (Broken.LOST, replace(SOUND, weights={"a": 4})),
        (Broken.LOST, replace(SOUND, created=[])),
        (Broken.DUPLICATED, replace(SOUND, created=[("m", 1), ("m", 1)])),
        (Broken.WRONG, replace(SOUND, created=[("m", 1), ("m", 2)])),
        (Broken.LOST, replace(SOUND, moves=[])),
        (Broken.WRONG, replace(SOUND, moves=[("a", 0, 1), ("a", 3, 1)])),
        (Broken.LOST, replace(SOUND, puts=[])),
        (Broken.DUPLICATED, replace(SOUND, puts=[(1, "a", 5), (1, "a", 5)])),
        (Broken.WRONG, replace(SOUND, puts=[(2, "a", 6), (1, "a", 5)])),
    ],
)
def test_each_broken_promise_is_found(broken: Broken, observed: model.Observed) -> None:
    assert broken in {one.broken for one in model.check(HISTORY, observed)}


def test_a_read_that_finds_what_was_before_the_last_answer() -> None:
    stale = [*HISTORY, call(6, model.LOOK_MOVE, "a", Outcome.OK, 0)]
    assert [one.broken for one in model.check(stale, SOUND)] == [Broken.LOST]
