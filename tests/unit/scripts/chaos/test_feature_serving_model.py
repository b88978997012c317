from __future__ import annotations

import pytest

from scripts.chaos.findings import Broken
from scripts.chaos.history import Mark, Operation, Outcome
from scripts.chaos.models import dead_letters
from scripts.chaos.models import feature_serving as model


def call(
    number: int, kind: str, key: str, outcome: Outcome, result: int | None = None, **arguments: object
) -> Operation:
    return Operation(number, 0, "c", kind, key, arguments, float(number), number + 0.5, outcome, result)


def write(number: int, value: int, outcome: Outcome = Outcome.OK) -> Operation:
    return call(number, model.WRITE, "e", outcome, value=value)


def event(number: int, key: str, amount: int, outcome: Outcome = Outcome.OK) -> Operation:
    return call(number, model.EVENTS, key, outcome, entities=["e"], amount=amount)


FLUSHED = Mark(model.FLUSH, 10.0, 10.1, {})


def found(operations: list[Operation], observed: model.Observed, *marks: Mark) -> list[Broken]:
    return [one.broken for one in model.check(operations, marks, observed)]


def values(value: int | None) -> model.Observed:
    return model.Observed({"e": value}, {})


def window(count: int, total: float) -> model.Observed:
    return model.Observed({}, {"e": (count, total)})


@pytest.mark.parametrize(
    ("value", "broken"), [(2, []), (3, []), (1, [Broken.LOST]), (None, [Broken.LOST]), (9, [Broken.WRONG])]
)
def test_the_last_value_is_that_of_the_last_answered_write_or_a_later_one(
    value: int | None, broken: list[Broken]
) -> None:
    writes = [write(0, 1), write(1, 2), write(2, 3, Outcome.UNKNOWN)]
    assert found(writes, values(value)) == broken


@pytest.mark.parametrize(("read", "broken"), [(2, []), (1, [Broken.LOST]), (None, [Broken.LOST]), (5, [Broken.WRONG])])
def test_a_read_finds_what_was_answered_before_it(read: int | None, broken: list[Broken]) -> None:
    operations = [write(0, 1), write(1, 2), call(2, model.READ, "e", Outcome.OK, read)]
    assert found(operations, values(2)) == broken


def test_after_a_flush_a_read_may_find_nothing_until_all_is_there_again() -> None:
    before, after = [write(0, 1)], call(11, model.READ, "e", Outcome.OK)
    assert found([*before, after], values(1), FLUSHED) == []
    assert found([*before, after], values(1)) == [Broken.LOST]
    assert found(before, values(None), FLUSHED) == [Broken.LOST]
    assert found([write(11, 1), call(12, model.READ, "e", Outcome.OK)], values(1), FLUSHED) == [Broken.LOST]


@pytest.mark.parametrize(
    ("count", "total", "broken"),
    [
        (2, 30.0, []),  # what was not answered did not count
        (3, 37.0, []),  # or it did
        (3, 36.0, [Broken.WRONG]),
        (1, 10.0, [Broken.LOST]),
        (4, 47.0, [Broken.DUPLICATED]),
    ],
)
def test_each_answered_event_counts_once(count: int, total: float, broken: list[Broken]) -> None:
    # The second was asked twice, under one key.
    asked = [
        event(0, "1", 10),
        event(1, "2", 20, Outcome.UNKNOWN),
        event(2, "2", 20),
        event(3, "3", 7, Outcome.UNKNOWN),
    ]
    assert found(asked, window(count, total)) == broken


def test_poison_is_set_aside_once_and_nothing_sound_is() -> None:
    poison = [Mark(dead_letters.POISON, 1.0, 1.1, {"ids": ["p1", "p2"]})]
    assert list(dead_letters.check(poison, {"p1": 1, "p2": 1})) == []
    kinds = [one.broken for one in dead_letters.check(poison, {"p1": 2, "sound": 1})]
    assert sorted(kinds) == [Broken.DUPLICATED, Broken.LOST, Broken.LOST]
