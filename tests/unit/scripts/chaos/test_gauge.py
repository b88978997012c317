from __future__ import annotations

import pytest

from scripts.chaos import gauge
from scripts.chaos.history import Operation, Outcome

NONE: frozenset[str] = frozenset()


def calls(*ends: tuple[float, float, Outcome], kind: str = "read") -> list[Operation]:
    return [
        Operation(number, 0, "c", kind, "k", {}, began_s, ended_s, outcome)
        for number, (began_s, ended_s, outcome) in enumerate(ends)
    ]


def good(first_s: float, count: int) -> list[tuple[float, float, Outcome]]:
    return [(first_s + n * 0.1, first_s + n * 0.1 + 0.05, Outcome.OK) for n in range(count)]


def test_the_rate_counts_good_answers_of_the_stretch() -> None:
    operations = calls(*good(10.0, 20), (12.0, 12.1, Outcome.UNKNOWN))
    assert gauge.rate(operations, NONE, 10.0, 12.0) == pytest.approx(10.0)
    assert gauge.rate(operations, frozenset({"read"}), 10.0, 12.0) == 0.0
    assert gauge.rate(operations, NONE, 10.0, 10.0) == 0.0


def test_what_is_always_well_has_answered_again_at_once() -> None:
    assert gauge.answered_again(calls(*good(5.0, 10)), NONE, 5.0) == pytest.approx(5.05)


def test_it_answers_again_with_the_first_good_answer_after_the_last_bad_one() -> None:
    fault = [*good(5.0, 12), (6.5, 6.6, Outcome.UNKNOWN), *good(7.0, 10)]
    assert gauge.answered_again(calls(*fault), NONE, 5.0) == pytest.approx(7.05)


def test_few_good_answers_are_not_enough_and_a_slow_one_is_no_good_one() -> None:
    assert gauge.answered_again(calls(*good(5.0, 9)), NONE, 5.0) is None
    slow = [*good(5.0, 9), (5.0, 6.0 + gauge.BOUND_S, Outcome.OK)]
    assert gauge.answered_again(calls(*slow), NONE, 5.0) is None


def test_calls_made_before_the_fault_say_nothing_of_it() -> None:
    assert gauge.answered_again(calls(*good(4.0, 10), *good(6.0, 3)), NONE, 5.5) is None
