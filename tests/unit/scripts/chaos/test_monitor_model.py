from __future__ import annotations

from dataclasses import replace

import pytest

from scripts.chaos.findings import Broken
from scripts.chaos.history import Operation, Outcome
from scripts.chaos.models import monitor as model

OK, UNKNOWN = Outcome.OK, Outcome.UNKNOWN


def call(number: int, kind: str, key: str, outcome: Outcome, result: object = None, **arguments: object) -> Operation:
    return Operation(number, 0, "c", kind, key, arguments, float(number), number + 0.5, outcome, result)


def predicted(number: int, outcome: Outcome = OK, week: int = 0, endpoint: str = "bad") -> Operation:
    key = f"{endpoint}.{week}"
    return call(number, model.PREDICTED, key, outcome, endpoint=endpoint, week=week, hour=week, scores=[0.9, 0.1])


def labelled(
    number: int, labels: list[tuple[int, int]], rank: int = 1, outcome: Outcome = OK, week: int = 0
) -> Operation:
    key = f"bad.{week}"
    return call(
        number, model.RECORDED, f"{key}/{rank}", outcome, endpoint="bad", week=week, about=key, rank=rank, labels=labels
    )


FIRST = labelled(1, [(0, 1), (1, 1)])
CORRECTED = labelled(2, [(0, 0)], rank=2)
# Scores of 0.9 and 0.1 for labels of 0 and 1: 0.9 away from both.
WHOLE = model.Week(2, 2, 1, 0.81)
SEEN = model.Observed({("bad", 0): 2}, {("bad", 0): WHOLE}, {}, [])


def found(operations: list[Operation], seen: model.Observed) -> list[Broken]:
    return [one.broken for one in model.check(operations, seen)]


@pytest.mark.parametrize(
    ("week", "broken"),
    [
        (WHOLE, []),
        (replace(WHOLE, joined=1), [Broken.LOST]),
        (replace(WHOLE, joined=3), [Broken.DUPLICATED]),
        (replace(WHOLE, positives=2, brier=0.41), [Broken.WRONG]),  # the correction is missing
        (replace(WHOLE, predictions=4), [Broken.WRONG]),
    ],
)
def test_a_week_adds_up_to_what_came(week: model.Week, broken: list[Broken]) -> None:
    # Repeated, and the correction first: that changes nothing.
    came = [CORRECTED, predicted(0), predicted(0, UNKNOWN), FIRST, FIRST]
    assert found(came, replace(SEEN, weeks={("bad", 0): week})) == broken


def test_what_was_not_acknowledged_may_be_there_or_not() -> None:
    came = [predicted(0), labelled(1, [(0, 1)], outcome=UNKNOWN)]
    for week in (model.Week(2, 0, 0, None), model.Week(2, 1, 1, 0.01)):
        assert found(came, replace(SEEN, weeks={("bad", 0): week})) == []


@pytest.mark.parametrize(("counted", "broken"), [(2, []), (0, [Broken.LOST]), (4, [Broken.DUPLICATED])])
def test_a_window_counts_each_prediction_once(counted: int, broken: list[Broken]) -> None:
    seen = replace(SEEN, hours={("bad", 0): counted}, weeks={("bad", 0): model.Week(2, 0, 0, None)})
    assert found([predicted(0, UNKNOWN), predicted(1)], seen) == broken


def test_what_is_read_never_becomes_less() -> None:
    reads = [call(number, model.COVERAGE, "bad", OK, [2, joined]) for number, joined in ((3, 2), (4, 1))]
    assert found([predicted(0), FIRST, CORRECTED, *reads], SEEN) == [Broken.LOST]


@pytest.mark.parametrize(
    ("incidents", "announced", "broken"),
    [
        (["i"], ["i"], []),
        ([], [], [Broken.LOST]),
        (["i", "j"], ["i", "j"], [Broken.DUPLICATED]),
        (["i"], [], [Broken.LOST]),
        (["i"], ["i", "i"], [Broken.DUPLICATED]),
        (["i"], ["i", "j"], [Broken.WRONG]),
    ],
)
def test_harm_has_one_incident_and_one_event(incidents: list[str], announced: list[str], broken: list[Broken]) -> None:
    weeks = range(model.WEEKS)
    came = [predicted(0, week=week) for week in weeks]
    empty = model.Week(2, 0, 0, None)
    seen = model.Observed(
        {("bad", week): 2 for week in weeks},
        {("bad", week): empty for week in weeks},
        dict.fromkeys(incidents, "bad"),
        announced,
    )
    assert found(came, seen) == broken


def test_an_endpoint_whose_weeks_did_not_all_come_may_have_no_incident_yet() -> None:
    seen = replace(SEEN, weeks={("bad", 0): model.Week(2, 0, 0, None)})
    assert found([predicted(0)], seen) == []


def test_an_endpoint_that_does_no_harm_has_no_incident() -> None:
    seen = model.Observed({("good", 0): 2}, {("good", 0): model.Week(2, 0, 0, None)}, {"i": "good"}, ["i"])
    assert found([predicted(0, endpoint="good")], seen) == [Broken.WRONG]
