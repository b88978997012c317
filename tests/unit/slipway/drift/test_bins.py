from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.drift import edges_of, histogram, likely_categories
from slipway.errors import InvalidInput

VALUES = st.lists(st.floats(allow_nan=True, allow_infinity=True) | st.none(), max_size=60)
TEXTS = st.lists(st.sampled_from(["AA", "UA", "", "ZZ", None]), max_size=60)


@given(VALUES, VALUES, st.sets(st.floats(-1e6, 1e6), max_size=8))
def test_histograms_of_parts_add_up_to_that_of_the_whole(one: list[float], two: list[float], edges: set[float]) -> None:
    inner = sorted(edges)
    whole = histogram([*one, *two], edges=inner)
    assert (histogram(one, edges=inner) + histogram(two, edges=inner)).tolist() == whole.tolist()
    assert whole.sum() == len(one) + len(two)


@given(TEXTS, TEXTS)
def test_histograms_of_texts_add_up_too(one: list[str], two: list[str]) -> None:
    whole = histogram([*one, *two], categories=["AA", "UA"])
    parts = histogram(one, categories=["AA", "UA"]) + histogram(two, categories=["AA", "UA"])
    assert parts.tolist() == whole.tolist()


def test_a_bin_holds_its_lower_edge_and_missing_values_are_apart() -> None:
    assert histogram([0.5, 1, 1.5, 2, None, float("nan")], edges=[1, 2]).tolist() == [1, 2, 1, 2]
    assert histogram(["AA", "ZZ", "", None, float("nan"), "AA"], categories=["AA"]).tolist() == [2, 1, 3]
    assert histogram([], edges=[]).tolist() == [0, 0]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=200), st.integers(2, 20))
def test_edges_rise_and_lie_on_no_value(values: list[float], bins: int) -> None:
    edges = edges_of(values, bins)
    assert (np.diff(edges) > 0).all()
    counted = histogram(values, edges=edges)
    assert counted.sum() == len(values)


def test_a_value_that_many_rows_share_keeps_its_bin_in_single_precision() -> None:
    values = np.repeat([0.1, 0.3, 0.7, 0.9], 25)
    edges = edges_of(values)
    narrow = values.astype(np.float32).astype(np.float64)
    assert histogram(narrow, edges=edges).tolist() == histogram(values, edges=edges).tolist()


def test_a_constant_has_a_bin_below_and_one_above() -> None:
    edges = edges_of([3.0] * 9)
    assert histogram([2, 3, 3, 4], edges=edges).tolist() == [1, 2, 1, 0]
    assert edges_of([float("nan")]).size == 0


def test_the_most_frequent_texts_get_a_bin() -> None:
    assert likely_categories(["b", "a", "b", "c", None, ""], 2) == ("b", "a")


def test_one_kind_of_bins_is_asked_for() -> None:
    with pytest.raises(InvalidInput, match="edges"):
        histogram([1.0])
