from __future__ import annotations

import pytest

from services.feature_serving.domain.answer import Cell, fill
from services.feature_serving.domain.status import Status
from services.feature_serving.domain.view import Fallback, ValueType
from slipway.gen.slipway.features.v1 import resources_pb2


@pytest.mark.parametrize(
    ("cell", "moment_us", "status", "value"),
    [
        (None, 100, Status.NOT_FOUND, 0),
        ((5, 100), 110, Status.PRESENT, 5),
        ((5, 100), 111, Status.OUTSIDE_MAX_AGE, 0),
        ((5, 100), 50, Status.PRESENT, 5),
        ((None, 100), 110, Status.NULL_VALUE, 0),
        ((None, 100), 111, Status.OUTSIDE_MAX_AGE, 0),
        ((ValueError("x"), 100), 100, Status.UNREADABLE, 0),
    ],
)
def test_a_value_is_handed_out_only_when_it_is_one(cell: Cell, moment_us: int, status: Status, value: int) -> None:
    column = fill("v:f", ValueType.INT64, 10, [cell], [moment_us])
    assert (list(column.statuses), list(column.values)) == ([status], [value])
    assert list(column.event_times_us) == [0 if cell is None else 100]


@pytest.mark.parametrize("replaces", [{Status.NOT_FOUND, Status.OUTSIDE_MAX_AGE}, {Status.NULL_VALUE}])
def test_a_fallback_stands_in_for_what_its_definition_names_and_nothing_else(replaces: set[Status]) -> None:
    cells: list[Cell] = [None, (5, 100), (5, 50), (None, 100), (ValueError("x"), 100)]
    plain = fill("v:f", ValueType.INT64, 10, cells, [105] * 5)
    fallback = Fallback(7, frozenset(replaces))
    column = fill("v:f", ValueType.INT64, 10, cells, [105] * 5, fallback=fallback)
    replaced = [status in replaces for status in plain.statuses]
    assert [status is Status.FALLBACK for status in column.statuses] == replaced
    for row, taken in enumerate(replaced):
        assert column.values[row] == (7 if taken else plain.values[row])
        assert taken or column.statuses[row] is plain.statuses[row]
    assert (column.event_times_us, column.fallback) == (plain.event_times_us, fallback)


def test_without_a_max_age_nothing_is_too_old() -> None:
    assert fill("v:f", ValueType.INT64, None, [(5, 1)], [10**18]).statuses == [Status.PRESENT]


def test_statuses_have_the_contracts_numbers() -> None:
    numbers = {name.removeprefix("FEATURE_STATUS_"): n for name, n in resources_pb2.FeatureStatus.items() if n}
    assert {status.name: int(status) for status in Status} == numbers
