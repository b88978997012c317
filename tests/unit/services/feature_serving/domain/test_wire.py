from __future__ import annotations

import math
from contextlib import suppress
from typing import Any

import pytest
from google.protobuf import wrappers_pb2
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.feature_serving.domain import wire
from services.feature_serving.domain.view import ValueType

INT64 = st.integers(-(2**63), 2**63 - 1)
VALUES: dict[ValueType, st.SearchStrategy[Any]] = {
    ValueType.BOOL: st.booleans(),
    ValueType.INT32: st.integers(-(2**31), 2**31 - 1),
    ValueType.INT64: INT64,
    ValueType.FLOAT: st.floats(width=32),
    ValueType.DOUBLE: st.floats(),
    ValueType.STRING: st.text(),
    ValueType.TIMESTAMP: st.integers(-(10**11), 10**11).map(lambda seconds: seconds * wire.MICROS),
}
# The first text that is drawn waits for the tables of Unicode.
patient = settings(suppress_health_check=[HealthCheck.too_slow])
TYPED = st.sampled_from(list(ValueType)).flatmap(lambda kind: st.tuples(st.just(kind), VALUES[kind]))


@patient
@given(TYPED)
def test_a_value_comes_back(typed: tuple[ValueType, Any]) -> None:
    kind, value = typed
    found = wire.decode(kind, wire.encoder(kind)(value))
    assert found == value or (math.isnan(found) and math.isnan(value))
    assert type(found) is type(value)


@given(INT64)
def test_numbers_are_protobufs_own(number: int) -> None:
    # Field 1 of a wrapper, which leaves 0 out.
    expected = wrappers_pb2.Int64Value(value=number).SerializeToString()[1:] or b"\0"
    assert wire.varint(number) == expected
    assert wire.read_varint(b"x" + expected, 1) == (number, 1 + len(expected))


@given(st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999))
def test_moments_are_protobufs_own(moment_us: int) -> None:
    stamp = Timestamp()
    stamp.FromMicroseconds(moment_us)
    assert wire.timestamp(moment_us) == stamp.SerializeToString()
    assert wire.read_timestamp(wire.timestamp(moment_us)) == moment_us


@given(st.sampled_from(list(ValueType)), st.binary(max_size=24))
def test_any_bytes_are_a_value_a_null_or_refused(kind: ValueType, raw: bytes) -> None:
    with suppress(ValueError):
        wire.decode(kind, raw)


@given(st.binary(max_size=24))
def test_any_bytes_are_a_moment_or_refused(raw: bytes) -> None:
    with suppress(ValueError):
        assert isinstance(wire.read_timestamp(raw), int)


@patient
@given(TYPED, st.sampled_from(list(ValueType)))
def test_a_value_of_another_type_is_refused(typed: tuple[ValueType, Any], other: ValueType) -> None:
    kind, value = typed
    if other is not kind:
        with pytest.raises(ValueError, match=r"it is no|no end"):
            wire.decode(other, wire.encoder(kind)(value))


@pytest.mark.parametrize("raw", [wire.NULL, b"\x98\x01\x00"])
@pytest.mark.parametrize("kind", list(ValueType))
def test_a_null_is_none(kind: ValueType, raw: bytes) -> None:
    assert wire.decode(kind, raw) is None
