from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.client.codec import columns
from slipway.errors import InvalidInput
from slipway.gen.slipway.inference.v1 import resources_pb2 as res


def read(column: res.Column) -> list[Any]:
    kind = column.WhichOneof("values")
    assert kind is not None
    absent = set(column.absent_rows)
    return [None if n in absent else value for n, value in enumerate(getattr(column, kind).values)]


def kinds(rows: list[dict[str, Any]]) -> dict[str, str | None]:
    return {column.name: column.WhichOneof("values") for column in columns.from_rows(rows)}


TEXT = st.text(st.characters(exclude_categories=["Cs"]))
OF_ONE_TYPE: st.SearchStrategy[list[Any]] = st.one_of(
    *(
        st.lists(st.one_of(st.none(), values), min_size=1)
        for values in (st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), TEXT)
    )
)


@given(OF_ONE_TYPE)
def test_values_of_one_type_arrive_as_they_are(values: list[Any]) -> None:
    (column,) = columns.from_rows([{"x": value} for value in values])
    assert read(column) == values
    (same,) = columns.from_columns({"x": values})
    assert same == column


def test_the_type_follows_the_values() -> None:
    rows: list[dict[str, Any]] = [
        {"b": True, "i": 1, "f": 1.5, "s": "a", "n": None},
        {"b": None, "i": 2, "f": 3, "s": "", "n": None},
    ]
    assert kinds(rows) == {"b": "bools", "i": "int64s", "f": "doubles", "s": "strings"}


def test_a_column_without_a_value_is_left_out_unless_it_alone_counts_the_rows() -> None:
    assert kinds([{"x": 1, "n": None}]) == {"x": "int64s"}
    (alone,) = columns.from_columns({"n": [None, None]})
    assert read(alone) == [None, None]


def test_a_missing_name_is_absent() -> None:
    made = {column.name: read(column) for column in columns.from_rows([{"x": 1}, {"y": "a"}, {"x": 3, "y": None}])}
    assert made == {"x": [1, None, 3], "y": [None, "a", None]}


def test_values_of_numpy_and_pandas_are_taken() -> None:
    numpy = pytest.importorskip("numpy")
    rows = [{"i": numpy.int64(4), "f": numpy.float32(0.5), "b": numpy.bool_(True), "s": numpy.str_("a")}]
    assert kinds(rows) == {"i": "int64s", "f": "doubles", "b": "bools", "s": "strings"}
    (column,) = columns.from_columns({"x": numpy.arange(3)})
    assert read(column) == [0, 1, 2]


def test_vectors_are_flattened_with_their_width() -> None:
    numpy = pytest.importorskip("numpy")
    matrix = [[1, 2.5], [3, 4]]
    (column,) = columns.from_rows([{"x": matrix}, {}, {"x": [numpy.array(one) for one in matrix]}])
    assert (column.width, list(column.absent_rows)) == (4, [1])
    assert list(column.doubles.values) == [1, 2.5, 3, 4, 0, 0, 0, 0, 1, 2.5, 3, 4]
    (same,) = columns.from_columns({"x": numpy.arange(12).reshape(2, 3, 2)})
    assert (same.width, list(same.int64s.values)) == (6, list(range(12)))
    (words,) = columns.from_columns({"x": [("a", "b"), None]})
    assert (list(words.strings.values), words.width) == (["a", "b", "", ""], 2)
    assert columns.row_count([same], []) == 2


@pytest.mark.parametrize(
    ("rows", "field", "told"),
    [
        ([], "rows", "is empty"),
        ({"x": 1}, "rows", "give a list of dicts"),
        ("x", "rows", "give a list of dicts"),
        ([{"x": 1}, 7], "rows[1]", "is int"),
        ([{"x": 1}, {"x": "a"}], "rows.x", "mixes int and str"),
        ([{"x": True}, {"x": 1}], "rows.x", "mixes bool and int"),
        ([{"x": "a"}, {"x": float("nan")}], "rows.x", "None, not NaN"),
        ([{"x": b"a"}], "rows.x", "has bytes at row 0"),
        ([{"x": [{}]}], "rows.x", "has dict at row 0"),
        ([{"x": [1, 2]}, {"x": [1]}], "rows.x", "has 1 elements at row 1"),
        ([{"x": [[1, 2], [3]]}], "rows.x", "no array at row 0"),
        ([{"x": [[1, 2], 3]}], "rows.x", "no array at row 0"),
        ([{"x": [1, 2]}, {"x": 1}], "rows.x", "has int at row 1"),
        ([{"x": [1, None]}], "rows.x", "has None within the vector at row 0"),
        ([{"x": []}], "rows.x", "at least one"),
        ([{"x": 2**63}], "rows.x", "beyond 64 bits"),
        ([{"x": 10**400}, {"x": 0.5}], "rows.x", "beyond what a float holds"),
        ([{"x": "\ud800"}], "rows.x", "lone surrogate"),
        ([{1: 1}], "rows", "is int"),
    ],
)
def test_bad_rows_are_refused_by_name(rows: Any, field: str, told: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        columns.from_rows(rows)
    (violation,) = caught.value.violations
    assert violation.field == field
    assert told in violation.description


@pytest.mark.parametrize(
    ("given_columns", "field"),
    [
        ([1], "columns"),
        ({"x": "text"}, "columns.x"),
        ({"x": 7}, "columns.x"),
        ({"x": [1], "y": [1, 2]}, "columns.y"),
    ],
)
def test_bad_columns_are_refused_by_name(given_columns: Any, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        columns.from_columns(given_columns)
    assert caught.value.violations[0].field == field


def test_columns_without_rows_or_with_other_keys_are_refused() -> None:
    one, two = columns.from_columns({"x": [1]}), columns.from_columns({"k": [1, 2]})
    for features, keys, field in (([], [], "columns"), (one, two, "entity_keys")):
        with pytest.raises(InvalidInput) as caught:
            columns.row_count(features, keys)
        assert caught.value.violations[0].field == field
    assert columns.row_count(one, []) == 1
    assert columns.row_count([], two) == 2
