from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.inference_gateway.domain.column_spec import ColumnSpec, DataType
from services.inference_gateway.domain.explain import check_size, contributions, occluded, slices, typical
from services.inference_gateway.domain.signature import Signature
from slipway.errors import InvalidInput

SIGNATURE = Signature(
    (
        ColumnSpec("a", DataType.FP64, typical=0.5),
        ColumnSpec("n", DataType.INT64, typical=2.5),
        ColumnSpec("t", DataType.BYTES, typical="UA"),
        ColumnSpec("v", DataType.FP64, shape=(2,)),
    ),
    (),
)


@given(st.integers(1, 400))
def test_each_column_alone_is_as_it_typically_is_and_every_column_comes_once(rows: int) -> None:
    told = typical(SIGNATURE.inputs)
    inputs = {
        "a": np.arange(rows, dtype=np.float64),
        "n": np.arange(rows),
        "t": np.full(rows, "AA", dtype=object),
        "v": np.ones((rows, 2)),
    }
    seen = []
    for columns in slices(rows, list(told)):
        made = occluded(inputs, SIGNATURE, told, columns)
        assert len(columns) == 1 or rows * len(columns) <= 256
        for place, name in enumerate(columns):
            span = slice(place * rows, (place + 1) * rows)
            wanted = {**inputs, name: np.full(rows, {"a": 0.5, "n": 2, "t": "UA"}[name], dtype=inputs[name].dtype)}
            assert all(np.array_equal(made[one][span], wanted[one]) for one in inputs)
        seen += columns
    assert seen == ["a", "n", "t"]


def test_what_a_column_did_is_the_answer_less_that_without_it() -> None:
    found = contributions(np.array([[1.0, 2.0], [3.0, 4.0]]), np.arange(8.0).reshape(4, 2), 2)
    assert found.tolist() == [[[1.0, 1.0], [1.0, 1.0]], [[-3.0, -3.0], [-3.0, -3.0]]]


def test_too_much_is_refused_with_what_would_fit() -> None:
    check_size(128, 128)
    with pytest.raises(InvalidInput, match=r"explain: asks for 129 rows .* so ask about 128 rows at once"):
        check_size(129, 128)
