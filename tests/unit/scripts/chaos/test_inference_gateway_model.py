from __future__ import annotations

import pytest

from scripts.chaos.findings import Broken
from scripts.chaos.history import Mark, Operation, Outcome
from scripts.chaos.models import inference_gateway as model
from scripts.chaos.models import responses

FIRST, SECOND = ("k.0", 1, 1005.0), ("k.1", 1, 1006.0)


def call(number: int, kind: str, outcome: Outcome, result: object = None, **arguments: object) -> Operation:
    return Operation(number, 0, "c", kind, "k", arguments, float(number), number + 0.5, outcome, result)


def put(number: int, *versions: int) -> Operation:
    return call(number, model.PUT, Outcome.UNKNOWN, versions=list(versions))


def asked(number: int, *rows: model.Row, kind: str = model.KEYED) -> Operation:
    outcome = Outcome.OK if rows else Outcome.UNKNOWN
    return call(number, kind, outcome, list(rows), a=5.0, rows=2)


def found(
    operations: list[Operation], *logged: model.Row, counted: int | None = None, unlogged: int = 0, waiting: int = 0
) -> list[Broken]:
    seen = model.Observed(list(logged), {}, len(logged) if counted is None else counted, unlogged, waiting)
    return [one.broken for one in model.check([put(0, 1), *operations], [], seen)]


def test_what_was_answered_is_on_the_log_once_and_counted_once() -> None:
    answered = [asked(1), asked(2, FIRST, SECOND), asked(3, FIRST, SECOND)]
    assert found(answered, FIRST, SECOND) == []
    assert found(answered, FIRST) == [Broken.LOST]
    assert found(answered, FIRST, SECOND, SECOND) == [Broken.DUPLICATED]
    assert found(answered, FIRST, SECOND, counted=1) == [Broken.LOST]
    assert found(answered, FIRST, SECOND, counted=3) == [Broken.DUPLICATED]
    assert found(answered, FIRST, SECOND, waiting=1) == [Broken.LOST]
    assert found(answered, FIRST, ("k.1", 1, 1007.0)) == [Broken.WRONG]


def test_an_answer_is_what_its_version_says_and_stays_so() -> None:
    assert found([asked(1, ("k.0", 1, 1006.0))], ("k.0", 1, 1006.0)) == [Broken.WRONG]
    both = [put(1, 1, 2), asked(2, FIRST), asked(3, ("k.0", 2, 2005.0))]
    assert Broken.WRONG in found(both, FIRST)


def test_nobody_answers_by_a_version_that_was_not_named_before() -> None:
    second = ("k.0", 2, 2005.0)
    assert found([put(1, 2), asked(2, second)], second) == []
    assert found([asked(1, second), put(2, 2)], second) == [Broken.WRONG]
    assert Broken.WRONG in found([asked(1)], ("k.0", 9, 9005.0))


def test_what_a_full_spool_left_out_is_what_was_said_to_be() -> None:
    answered = [asked(1, FIRST, SECOND)]
    assert found(answered, SECOND, unlogged=1) == []
    assert found(answered, SECOND, unlogged=2) == [Broken.WRONG]
    assert found([*answered, asked(2)], SECOND, unlogged=3) == []
    assert found(answered, unlogged=1) == [Broken.LOST, Broken.LOST]


@pytest.mark.parametrize(("unheard", "broken"), [(0, [Broken.WRONG]), (1, [])])
def test_a_row_that_nobody_heard_of_was_asked_for_without_an_id(unheard: int, broken: list[Broken]) -> None:
    asked_in_vain = [asked(number + 1, kind=model.KEYLESS) for number in range(unheard)]
    assert found(asked_in_vain, ("made.0", 1, 1005.0)) == broken


def test_a_shadow_s_score_is_there_once() -> None:
    seen = model.Observed([], {"k.0": 1, "k.1": 2}, 0)
    assert [one.broken for one in model.check([], [], seen)] == [Broken.DUPLICATED]


def by_event(number: int, outcome: Outcome = Outcome.OK) -> Operation:
    return Operation(number, 0, "c", responses.EVENT, f"k-{number}", {"a": 5.0, "rows": 1}, 0.0, 0.5, outcome)


def told(number: int, code: int = 0) -> responses.Response:
    return responses.Response("k", f"k-{number}", [] if code else [(f"k-{number}.0", 1, 1005.0)], code)


@pytest.mark.parametrize(
    ("told", "broken"),
    [
        ([told(1), told(2)], []),
        ([told(1)], [Broken.LOST]),
        ([told(1), told(2), told(3)], []),
        ([told(1), told(2), told(2)], [Broken.DUPLICATED]),
        ([told(2), told(1)], [Broken.WRONG]),
        ([told(1), told(2, code=14)], []),
        ([told(1), told(2, code=3)], [Broken.WRONG]),
        ([told(1), told(2), told(9)], [Broken.WRONG]),
    ],
)
def test_a_request_by_an_event_is_answered_once_in_its_turn(
    told: list[responses.Response], broken: list[Broken]
) -> None:
    operations = [put(0, 1), by_event(1), by_event(2), by_event(3, Outcome.UNKNOWN)]
    logged = [row for one in told if one.request != "k-9" for row in one.rows]
    seen = model.Observed(list(dict.fromkeys(logged)), {}, len(set(logged)), responses=told)
    assert [one.broken for one in model.check(operations, [], seen)] == broken


def test_what_comes_again_shuffled_has_no_order() -> None:
    logged = [row for one in (told(1), told(2)) for row in one.rows]
    seen = model.Observed(logged, {}, 2, responses=[told(2), told(1)])
    operations = [put(0, 1), by_event(1), by_event(2)]
    assert model.check(operations, [Mark(responses.REDELIVERED, 0.0, 1.0, {})], seen) == []


def test_what_was_answered_to_an_event_is_on_the_log() -> None:
    seen = model.Observed([], {}, 0, responses=[told(1)])
    assert [one.broken for one in model.check([put(0, 1), by_event(1)], [], seen)] == [Broken.LOST]
