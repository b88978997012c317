from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.feature_serving.domain.fallback import MAX_TEXT, as_read, fallback_faults
from services.feature_serving.domain.moments import LATEST_US
from services.feature_serving.domain.status import Status
from services.feature_serving.domain.view import Fallback, Feature, ValueType


def faults(kind: ValueType, value: Any, *replaces: Status) -> list[tuple[str, str]]:
    fallback = Fallback(value, frozenset(replaces)) if replaces else Fallback(value)
    return [(one.field, one.description) for one in fallback_faults("f", Feature("x", kind, fallback=fallback))]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (ValueType.BOOL, False),
        (ValueType.INT32, -(2**31)),
        (ValueType.INT64, 2**63 - 1),
        (ValueType.FLOAT, 3.4e38),
        (ValueType.DOUBLE, 1e300),
        (ValueType.STRING, "x" * MAX_TEXT),
        (ValueType.TIMESTAMP, -1_000_000),
    ],
)
def test_a_sound_fallback_passes(kind: ValueType, value: Any) -> None:
    assert faults(kind, value) == []
    assert faults(kind, value, Status.NULL_VALUE, Status.NOT_FOUND, Status.OUTSIDE_MAX_AGE) == []
    assert list(fallback_faults("f", Feature("x", kind))) == []


@pytest.mark.parametrize(
    ("kind", "value", "told"),
    [
        (ValueType.INT32, 2**31, "2147483648 is beyond 32 bits"),
        (ValueType.FLOAT, 1e39, "1e+39 is beyond single precision"),
        (ValueType.DOUBLE, float("nan"), "is nan; give a finite number"),
        (ValueType.FLOAT, float("inf"), "is inf; give a finite number"),
        (ValueType.STRING, "x" * (MAX_TEXT + 1), "has 6001 characters"),
        (ValueType.TIMESTAMP, 1, "1 has a fraction of a second"),
        (ValueType.TIMESTAMP, LATEST_US + 1, "give a moment of the years 1 to 9999"),
    ],
)
def test_an_unsound_fallback_is_told(kind: ValueType, value: Any, told: str) -> None:
    [(field, description)] = faults(kind, value)
    assert field == "f.fallback"
    assert told in description


@pytest.mark.parametrize("status", [Status.PRESENT, Status.UNREADABLE, Status.FALLBACK])
def test_nothing_stands_in_for_a_value_or_hides_a_fault(status: Status) -> None:
    [(field, description)] = faults(ValueType.INT64, 1, Status.NOT_FOUND, status)
    assert field == "f.fallback_for"
    assert status.name in description


@given(st.floats(width=32, allow_nan=False, allow_infinity=False), st.floats(-1e30, 1e30))
def test_a_float_reads_as_the_single_that_a_stored_one_would(single: float, double: float) -> None:
    for value in (single, double):
        read = as_read(Feature("x", ValueType.FLOAT, fallback=Fallback(value)))
        assert read == Fallback(struct.unpack("<f", struct.pack("<f", value))[0])
    kept = Feature("x", ValueType.DOUBLE, fallback=Fallback(double))
    assert as_read(kept) is kept.fallback
