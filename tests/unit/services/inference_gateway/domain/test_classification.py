from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from services.inference_gateway.domain.classification import top_classes

ROWS = st.tuples(st.integers(0, 3), st.integers(1, 5))


@given(arrays.arrays(np.float32, ROWS, elements=st.floats(width=32)), st.integers(1, 7))
def test_the_largest_come_first_whatever_the_numbers(values: np.ndarray, count: int) -> None:
    told = top_classes(values, count)
    assert told.shape == (len(values), min(count, values.shape[1]))
    for row, texts in zip(values.tolist(), told.tolist(), strict=True):
        places = [int(text.partition(":")[2]) for text in texts]
        ranked = sorted(range(len(row)), key=lambda place: -math.inf if math.isnan(row[place]) else row[place])
        best = [row[place] for place in reversed(ranked)][: len(places)]
        assert len(set(places)) == len(places)
        np.testing.assert_array_equal(
            [row[place] for place in places if not math.isnan(row[place])], [one for one in best if not math.isnan(one)]
        )


@given(arrays.arrays(np.uint64, ROWS))
def test_unsigned_numbers_are_ranked_exactly(values: np.ndarray) -> None:
    for row, texts in zip(values.tolist(), top_classes(values, 1).tolist(), strict=True):
        assert texts == [f"{max(row)}:{row.index(max(row))}"]


def test_equal_values_keep_the_lower_index_and_more_dimensions_are_one() -> None:
    values = np.array([[[1, 5], [5, 2]]], np.int64)
    assert top_classes(values, 3).tolist() == [["5:1", "5:2", "2:3"]]
    assert top_classes(np.array([[False, True]]), 2).tolist() == [["1:1", "0:0"]]
    assert top_classes(np.array([[0.125]], np.float32), 1).tolist() == [["0.125000:0"]]
