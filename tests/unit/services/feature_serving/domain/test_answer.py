from __future__ import annotations

import pytest

from services.feature_serving.domain.answer import Cell, Status, fill
from services.feature_serving.domain.view import ValueType
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


def test_without_a_max_age_nothing_is_too_old() -> None:
    assert fill("v:f", ValueType.INT64, None, [(5, 1)], [10**18]).statuses == [Status.PRESENT]


def test_statuses_have_the_contracts_numbers() -> None:
    numbers = {name.removeprefix("FEATURE_STATUS_"): n for name, n in resources_pb2.FeatureStatus.items() if n}
    assert {status.name: int(status) for status in Status} == numbers
