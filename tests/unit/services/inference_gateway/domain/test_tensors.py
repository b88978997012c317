from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.inference_gateway.domain.signature import DataType
from services.inference_gateway.domain.tensors import BadRaw, kind_of, pack_raw, unpack_raw


@settings(deadline=None)
@given(st.sampled_from(list(DataType)), st.lists(st.integers(-(2**63), 2**63 - 1), max_size=70), st.binary(max_size=64))
def test_any_shape_over_any_bytes_is_an_array_or_refused(kind: DataType, shape: list[int], data: bytes) -> None:
    with contextlib.suppress(BadRaw):
        assert unpack_raw(kind, tuple(shape), data).shape == tuple(shape)


@pytest.mark.parametrize("kind", list(DataType))
@pytest.mark.parametrize(
    "shape", [(2**62,), (2**62, 8), (2**62, 0), (-1,), (-1, -2), (0, -1), (2**32, 2**32), (1,) * 65, (3,), (1, 3)]
)
def test_a_hostile_shape_is_refused(kind: DataType, shape: tuple[int, ...]) -> None:
    with pytest.raises(BadRaw):
        unpack_raw(kind, shape, bytes(8))


@pytest.mark.parametrize(
    "data",
    [
        b"\x01\x00\x00",  # half a length
        b"\x05\x00\x00\x00ab",  # a text cut short
        b"\xff\xff\xff\xffab",  # a length of 4 GiB
        b"\x02\x00\x00\x00\xc3\x28",  # not UTF-8
        b"\x01\x00\x00\x00ab",  # a byte too many
        b"\x01\x00\x00\x00a\x01\x00\x00\x00b",  # a text too many
        b"",
    ],
)
def test_a_damaged_text_is_refused(data: bytes) -> None:
    with pytest.raises(BadRaw):
        unpack_raw(DataType.BYTES, (1,), data)


def test_a_raw_truth_value_is_true_or_false() -> None:
    array = unpack_raw(DataType.BOOL, (3,), b"\x00\x01\x02")
    assert array.tolist() == [False, True, True]
    assert pack_raw(DataType.BOOL, array) == b"\x00\x01\x01"


def test_bytes_are_little_endian_and_texts_have_a_4_byte_length() -> None:
    assert pack_raw(DataType.INT32, np.array([1, -1], np.int32)) == b"\x01\x00\x00\x00\xff\xff\xff\xff"
    assert pack_raw(DataType.BYTES, np.array(["é", ""], object)) == b"\x02\x00\x00\x00\xc3\xa9\x00\x00\x00\x00"


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(BadRaw, match="complex64"):
        kind_of(np.zeros(1, np.complex64))
