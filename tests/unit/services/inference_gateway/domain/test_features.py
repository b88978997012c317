from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.inference_gateway.domain.answer import ages_by_row
from services.inference_gateway.domain.columns import Column, ValueKind
from services.inference_gateway.domain.feature_errors import FeatureMissing, FeaturesUnavailable, FeatureTypeMismatch
from services.inference_gateway.domain.features import (
    Fallback,
    FeatureColumn,
    Online,
    Status,
    among,
    fill,
    join_keys,
    unread,
)
from services.inference_gateway.domain.signature import ColumnSpec, DataType, Signature
from slipway.errors import InvalidInput

DELAY = ColumnSpec("delay", DataType.FP32, True, "carriers:delay")
NEEDED = ColumnSpec("delay", DataType.FP32, False, "carriers:delay")
STOPS = ColumnSpec("stops", DataType.INT64)


def read(values: list[float], statuses: list[int], times: list[int] | None = None) -> Online:
    column = FeatureColumn(
        ValueKind.DOUBLE,
        np.array(values, dtype=np.float64),
        np.array(statuses, dtype=np.uint8),
        np.array(times or [1] * len(values), dtype=np.int64),
    )
    return Online({"carriers:delay": column})


def test_what_was_not_given_or_has_no_value_is_read() -> None:
    signature = Signature((DELAY, STOPS), ())
    empty = Column.of("delay", ValueKind.DOUBLE, [0.0, 0.0], [0, 1])
    half = Column.of("delay", ValueKind.DOUBLE, [0.0, 1.0], [0])
    assert unread(signature, ()) == unread(signature, [empty]) == (DELAY,)
    assert unread(signature, [half]) == ()


@given(st.lists(st.tuples(st.floats(width=32), st.integers(0, 9)), min_size=1, max_size=20))
def test_a_row_has_its_value_or_is_null_and_says_whether_it_should_have_had_one(rows: list[tuple[float, int]]) -> None:
    online = read([value for value, _ in rows], [status for _, status in rows])
    filled = fill([DELAY], online, np.arange(len(rows)), None)
    [column] = filled.columns
    values = {Status.PRESENT, Status.FALLBACK}
    null = {row for row, (value, status) in enumerate(rows) if status not in values or not np.isfinite(value)}
    assert set(column.absent) == null
    silent = {Status.PRESENT, Status.NULL_VALUE}
    lacking = {
        row
        for row, (value, status) in enumerate(rows)
        if status not in silent or (status == Status.PRESENT and np.isinf(value))
    }
    assert set(filled.degraded) == lacking


@pytest.mark.parametrize("spec", [DELAY, NEEDED])
def test_a_fallback_is_a_value_that_is_marked(spec: ColumnSpec) -> None:
    filled = fill([spec], read([1.0, 9.0, 2.0, 9.0], [1, 6, 1, 6]), np.array([1, 2, 3]), None)
    assert (filled.columns[0].values.tolist(), list(filled.columns[0].absent)) == ([9.0, 2.0, 9.0], [])
    assert filled.degraded == (0, 2)
    assert {name: rows.tolist() for name, rows in filled.fallbacks.items()} == {"delay": [0, 2]}


def test_a_fallback_that_is_not_valid_reaches_no_model() -> None:
    filled = fill([replace(DELAY, minimum=0.0, maximum=2.0)], read([9.0], [6]), np.arange(1), None)
    assert (filled.columns[0].absent, filled.degraded, filled.fallbacks) == ([0], (0,), {})


@pytest.mark.parametrize(
    ("kind", "value", "dtype"),
    [
        (ValueKind.DOUBLE, 0.5, np.float64),
        (ValueKind.INT64, 2**62, np.int64),
        (ValueKind.BOOL, True, np.bool_),
        (ValueKind.STRING, "none", object),
    ],
)
def test_a_service_that_is_away_leaves_a_column_of_its_fallback(kind: ValueKind, value: Any, dtype: Any) -> None:
    column = Fallback(kind, value).column(3)
    assert (column.values.dtype, column.values.tolist()) == (dtype, [value] * 3)
    assert column.statuses.tolist() == [Status.FALLBACK] * 3
    assert column.event_times_us.tolist() == [0] * 3


@given(st.lists(st.booleans(), min_size=1, max_size=30), st.data())
def test_rows_that_are_taken_out_keep_their_marks(marked: list[bool], data: st.DataObject) -> None:
    rows = sorted(data.draw(st.sets(st.integers(0, len(marked) - 1))))
    found = among({"delay": np.flatnonzero(marked)}, np.array(rows, dtype=np.int64))
    expected = [place for place, row in enumerate(rows) if marked[row]]
    assert {name: taken.tolist() for name, taken in found.items()} == ({"delay": expected} if expected else {})


def test_a_number_beyond_the_column_s_type_is_as_good_as_unreadable() -> None:
    filled = fill([DELAY], read([1e300, 1.0], [1, 1]), np.arange(2), None)
    assert (filled.columns[0].absent, filled.degraded) == ([0], (0,))


def test_rows_of_an_arm_take_their_own_values_and_times() -> None:
    filled = fill([DELAY], read([1.0, 2.0, 3.0], [1, 1, 3], [7, 8, 0]), np.array([1, 2]), np.array([1, 2]))
    assert filled.columns[0].values.tolist()[0] == 2.0
    assert (filled.columns[0].absent, filled.degraded) == ([1], (1,))
    assert filled.view_times["carriers"].tolist() == [8, 0]
    [(told,), (silent,)] = ages_by_row(np.array([1_000_008, 5]), filled.view_times)
    assert (told, silent) == (("carriers", 1.0), ("carriers", None))


def test_what_the_version_needs_is_named_with_the_caller_s_rows() -> None:
    with pytest.raises(FeatureMissing) as caught:
        fill([NEEDED], read([1.0, 2.0], [1, 4]), np.arange(2), np.array([10, 20]))
    [violation] = caught.value.violations
    assert violation.field == "features[delay]"
    assert "(OUTSIDE_MAX_AGE) in row 20;" in violation.description


def test_a_number_that_is_not_valid_is_as_none_that_can_be_read() -> None:
    bounded = replace(DELAY, minimum=0.0, maximum=2.0)
    filled = fill([bounded], read([1.0, -1.0, 3.0], [1, 1, 1]), np.arange(3), None)
    assert (filled.columns[0].absent, filled.degraded) == ([1, 2], (1, 2))
    with pytest.raises(FeatureMissing) as caught:
        fill([replace(bounded, nullable=False)], read([1.0, -1.0], [1, 1]), np.arange(2), None)
    assert "(UNREADABLE) in row 1;" in caught.value.violations[0].description


def test_without_the_service_a_needed_column_is_unavailable_and_another_is_null() -> None:
    nothing = Online({}, "it is away")
    with pytest.raises(FeaturesUnavailable, match=r"carriers:delay can't be read now.*it is away"):
        fill([NEEDED], nothing, np.arange(2), None)
    filled = fill([DELAY], nothing, np.arange(2), None)
    assert (filled.columns, filled.degraded) == ((), (0, 1))
    assert filled.view_times["carriers"].tolist() == [0, 0]


def test_a_column_that_can_not_hold_its_feature_is_the_version_s_fault() -> None:
    whole = ColumnSpec("delay", DataType.INT64, False, "carriers:delay")
    with pytest.raises(FeatureTypeMismatch):
        fill([whole], read([1.0], [1]), np.arange(1), None)


def test_keys_are_those_of_the_signature_and_of_their_types() -> None:
    keys = (ColumnSpec("tailnum", DataType.BYTES), ColumnSpec("number", DataType.INT64))
    signature = Signature((), (), keys)
    tailnum, number = Column.of("tailnum", ValueKind.STRING, ["N1"]), Column.of("number", ValueKind.INT64, [7])
    nobody = Column.of("number", ValueKind.DOUBLE, [0.0], [0])
    other = Column.of("other", ValueKind.BOOL, [True])
    assert join_keys(signature, [number, other, tailnum]) == (tailnum, number)
    assert join_keys(signature, [tailnum, nobody]) == (tailnum, nobody)
    with pytest.raises(InvalidInput) as caught:
        join_keys(signature, [Column.of("tailnum", ValueKind.INT64, [1])])
    assert [one.field for one in caught.value.violations] == ["entity_keys[tailnum]", "entity_keys[number]"]


NUMBERS = st.one_of(st.floats(), st.sampled_from([1e300, -1e39, float("nan"), float("inf"), 0.0]))


@st.composite
def many_columns(draw: st.DrawFn) -> tuple[list[ColumnSpec], Online, np.ndarray]:
    """Nullable columns of floats, some within bounds, some whose view can't be read; and some of their rows."""
    count = draw(st.integers(1, 6))
    specs, columns = [], {}
    for n in range(draw(st.integers(1, 6))):
        spec = ColumnSpec(
            f"c{n}",
            draw(st.sampled_from([DataType.FP16, DataType.FP32, DataType.FP64])),
            nullable=True,
            feature=f"v{n % 3}:f{n}",
            maximum=draw(st.sampled_from([None, 10.0])),
        )
        specs.append(spec)
        if draw(st.booleans()) or n == 0:
            values = np.array(draw(st.lists(NUMBERS, min_size=count, max_size=count)))
            statuses = draw(st.lists(st.sampled_from([1, 1, 2, 3, 4, 6, 255]), min_size=count, max_size=count))
            times = np.arange(count, dtype=np.int64) + 10 * (n % 3)
            columns[spec.feature] = FeatureColumn(ValueKind.DOUBLE, values, np.array(statuses, np.uint8), times)
    rows = draw(st.lists(st.integers(0, count - 1), min_size=1, max_size=count, unique=True))
    return specs, Online(columns), np.array(sorted(rows))


@given(many_columns())
def test_columns_that_are_filled_together_are_as_each_alone(drawn: tuple[list[ColumnSpec], Online, np.ndarray]) -> None:
    specs, online, rows = drawn
    together = fill(specs, online, rows, None)
    alone = [fill([spec], online, rows, None) for spec in specs]
    for found, expected in zip(together.columns, [column for one in alone for column in one.columns], strict=True):
        assert (found.name, found.kind, list(found.absent)) == (expected.name, expected.kind, list(expected.absent))
        np.testing.assert_array_equal(found.values, expected.values)
    assert together.degraded == tuple(sorted({row for one in alone for row in one.degraded}))
    marked = {name: taken.tolist() for one in alone for name, taken in one.fallbacks.items()}
    assert {name: taken.tolist() for name, taken in together.fallbacks.items()} == marked
