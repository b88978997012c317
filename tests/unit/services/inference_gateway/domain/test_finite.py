from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from services.inference_gateway.domain.finite import all_finite


@given(arrays.arrays(st.sampled_from([np.float16, np.float32, np.float64]), arrays.array_shapes(max_dims=3)))
def test_it_is_what_numpy_says_number_by_number(numbers: Any) -> None:
    assert all_finite(numbers) == bool(np.isfinite(numbers).all())
    assert all_finite(numbers.T) == bool(np.isfinite(numbers).all())


@pytest.mark.parametrize("rows", [1, 100, 5000])
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_one_wrong_number_is_found_among_many(rows: int, wrong: float) -> None:
    numbers = np.ones((rows, 3), np.float32)
    assert all_finite(numbers)
    numbers[rows // 2, 1] = wrong
    assert not all_finite(numbers)


def test_numbers_whose_squares_are_too_large_are_numbers() -> None:
    assert all_finite(np.full(3, np.finfo(np.float32).max))
    assert all_finite(np.array([], np.float32))
