from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.inference_gateway.api.rest_binary import Tail, split
from services.inference_gateway.api.rest_tensors import decode_infer
from slipway.errors import InvalidInput

SIZES = st.one_of(st.integers(-5, 40), st.booleans(), st.none(), st.text(max_size=2), st.floats())


def tensor(size: Any) -> dict[str, Any]:
    return {"name": "x", "datatype": "FP32", "shape": [1], "parameters": {"binary_data_size": size}}


@given(st.lists(st.binary(max_size=20), max_size=5))
def test_every_tensor_gets_its_own_bytes(raws: list[bytes]) -> None:
    head = json.dumps({"inputs": [tensor(len(raw)) for raw in raws]}).encode()
    found, tail = split(head + b"".join(raws), str(len(head)))
    assert list(decode_infer("late", "", json.loads(found), tail).raw_input_contents) == raws


@given(st.lists(SIZES, max_size=4), st.binary(max_size=40))
def test_sizes_that_do_not_fill_the_tail_are_refused(sizes: list[Any], data: bytes) -> None:
    fit = all(type(one) is int and one >= 0 for one in sizes) and sum(sizes) == len(data)
    body = {"inputs": [tensor(one) for one in sizes]}
    if fit:
        assert b"".join(decode_infer("late", "", body, Tail(memoryview(data))).raw_input_contents) == data
        return
    with pytest.raises(InvalidInput) as caught:
        decode_infer("late", "", body, Tail(memoryview(data)))
    assert caught.value.violations


def test_json_and_raw_tensors_keep_their_order() -> None:
    plain = {"name": "y", "datatype": "FP32", "shape": [1], "data": [1.5]}
    message = decode_infer("late", "", {"inputs": [plain, tensor(4), plain]}, Tail(memoryview(b"abcd")))
    one = np.float32(1.5).tobytes()
    assert list(message.raw_input_contents) == [one, b"abcd", one]
