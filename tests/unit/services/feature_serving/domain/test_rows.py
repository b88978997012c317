from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.feature_serving.domain import layout, wire
from services.feature_serving.domain.column import Column, Shape
from services.feature_serving.domain.rows import MAX_ROWS, MAX_VALUES, Row, Rows, encode, takes_effect
from services.feature_serving.domain.view import Definition, Feature, FeatureView, ValueType
from slipway.errors import InvalidInput

FEATURES = (Feature("seats", ValueType.INT32), Feature("delay", ValueType.DOUBLE))
PLANES = FeatureView(Definition("planes", "fleet", "", ("tailnum",), FEATURES), 1, datetime(2013, 1, 1, tzinfo=UTC))


def rows(keys: list[str], times: list[int], seats: list[int]) -> Rows:
    return Rows("planes", [Column("tailnum", Shape.STRINGS, keys)], [Column("seats", Shape.INT64S, seats)], times)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 4)), min_size=1, max_size=30))
def test_the_newest_row_of_each_entity_is_kept_and_the_last_of_equal_ones(given_rows: list[tuple[str, int]]) -> None:
    keys, times = [key for key, _ in given_rows], [time for _, time in given_rows]
    batch = encode(rows(keys, times, list(range(len(keys)))), PLANES, "p")
    expected = {}
    for position, (key, time) in enumerate(given_rows):
        if key not in expected or expected[key][0] <= time:
            expected[key] = (time, position)
    found = {row.key: (row.event_time_us, wire.decode(ValueType.INT32, row.values[0])) for row in batch.rows}
    columns = [Column("tailnum", Shape.STRINGS, list(expected))]
    assert found == dict(zip(layout.entity_keys("p", columns, len(expected)), expected.values(), strict=True))


def test_features_without_a_column_are_named_and_absent_rows_are_nulls() -> None:
    given_rows = rows(["a", "b"], [1, 1], [7, 8])
    absent = replace(given_rows, features=[Column("seats", Shape.INT64S, [7, 8], frozenset({1}))])
    batch = encode(absent, PLANES, "p")
    assert batch.fields == (layout.feature_field("planes", "seats"),)
    assert batch.missing == (layout.feature_field("planes", "delay"),)
    assert [row.values for row in batch.rows] == [(b"\x18\x07",), (wire.NULL,)]
    shapeless = replace(given_rows, features=[Column("delay", None, (), frozenset({0, 1}))])
    assert [row.values for row in encode(shapeless, PLANES, "p").rows] == [(wire.NULL,)] * 2


def test_rows_and_values_have_bounds() -> None:
    for count in (MAX_ROWS + 1, MAX_VALUES // 2 + 1):
        many = rows(["a"] * count, [1] * count, [1] * count)
        both = replace(many, features=[*many.features, Column("delay", Shape.DOUBLES, [0.0] * count)])
        with pytest.raises(InvalidInput, match=r"rows"):
            encode(both, PLANES, "p")


def test_the_watermark_is_the_writers_word_else_the_newest_row() -> None:
    assert rows(["a", "b"], [5, 3], [1, 2]).reached_us == 5
    assert replace(rows(["a"], [5], [1]), complete_until_us=4).reached_us == 4
    assert Rows("planes", [], [], [], 9).reached_us == 9


@pytest.mark.parametrize(
    ("stored", "effective"),
    [
        (None, True),
        (b"", True),
        (wire.timestamp(9), True),
        (wire.timestamp(10), True),
        (wire.timestamp(11), False),
        (b"\xff", True),
    ],
)
def test_only_a_newer_row_withstands(stored: bytes | None, effective: bool) -> None:
    assert takes_effect(Row(b"k", 10, ()), stored) is effective
