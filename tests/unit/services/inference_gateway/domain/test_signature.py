from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.inference_gateway.domain.columns import Column, ValueKind
from services.inference_gateway.domain.signature import (
    DTYPES,
    RANGES,
    ColumnSpec,
    DataType,
    Signature,
    check_servable,
    conform,
)
from slipway.errors import InvalidInput

DOUBLE, INT64, STRING, BOOL = ValueKind.DOUBLE, ValueKind.INT64, ValueKind.STRING, ValueKind.BOOL
SIGNATURE = Signature(
    (
        ColumnSpec("distance", DataType.FP32),
        ColumnSpec("plane_year", DataType.FP32, nullable=True),
        ColumnSpec("carrier", DataType.BYTES, nullable=True),
        ColumnSpec("dest", DataType.BYTES),
        ColumnSpec("stops", DataType.INT32),
        ColumnSpec("late", DataType.BOOL),
    ),
    (),
)
GOOD: dict[str, Column] = {
    "distance": Column.of("distance", DOUBLE, [1.5, 2.5]),
    "plane_year": Column.of("plane_year", INT64, [1999, 0], [1]),
    "carrier": Column.of("carrier", STRING, ["UA", "?"], [1]),
    "dest": Column.of("dest", STRING, ["SFO", ""]),
    "stops": Column.of("stops", INT64, [0, 2**31 - 1]),
    "late": Column.of("late", BOOL, [True, False]),
}


def refused(signature: Signature = SIGNATURE, **changes: Column | None) -> dict[str, str]:
    columns = [one for one in {**GOOD, **changes}.values() if one is not None]
    with pytest.raises(InvalidInput) as caught:
        conform(signature, columns, 2)
    return {one.field: one.description for one in caught.value.violations}


def test_columns_become_the_version_s_types_and_gaps_its_absence() -> None:
    tensors = conform(SIGNATURE, list(GOOD.values()), 2)
    assert list(tensors) == [spec.name for spec in SIGNATURE.inputs]
    assert {name: one.dtype for name, one in tensors.items()} == {
        spec.name: DTYPES[spec.datatype] for spec in SIGNATURE.inputs
    }
    assert tensors["plane_year"][0] == 1999
    assert np.isnan(tensors["plane_year"][1])
    assert tensors["carrier"].tolist() == ["UA", ""]


def test_a_nullable_column_that_is_left_out_is_absent_everywhere() -> None:
    columns = [one for name, one in GOOD.items() if name not in {"plane_year", "carrier"}]
    tensors = conform(SIGNATURE, columns, 2)
    assert np.isnan(tensors["plane_year"]).all()
    assert tensors["carrier"].tolist() == ["", ""]


def test_a_column_without_any_value_has_no_type_to_be_wrong() -> None:
    columns = {**GOOD, "carrier": Column.of("carrier", DOUBLE, [0.0, 0.0], [0, 1])}
    assert conform(SIGNATURE, list(columns.values()), 2)["carrier"].tolist() == ["", ""]
    assert refused(carrier=Column.of("carrier", DOUBLE, [0.0, 0.0], [1, 1])) == {
        "features[carrier]": "holds numbers; give texts (BYTES)"
    }


def test_the_caller_s_columns_are_left_as_they_are() -> None:
    given = Column.of("plane_year", DOUBLE, [1.0, 2.0], [1])
    conform(SIGNATURE, [*(one for name, one in GOOD.items() if name != "plane_year"), given], 2)
    assert given.values.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("name", "column", "said"),
    [
        ("distance", None, "is missing; give numbers or whole numbers (FP32) for every row"),
        ("distance", Column.of("", STRING, ["1", "2"]), "holds texts; give numbers or whole numbers (FP32)"),
        ("distance", Column.of("", BOOL, [True, False]), "holds truth values; give numbers or whole numbers (FP32)"),
        ("distance", Column.of("", DOUBLE, [1, 2], [1]), "is absent in row 1; the version needs a value in every row"),
        ("distance", Column.of("", DOUBLE, [float("nan"), 2]), "is not a number in row 0; the version needs a value"),
        ("distance", Column.of("", DOUBLE, [1, 1e39]), "is infinite, or too large for FP32, in row 1"),
        ("plane_year", Column.of("", DOUBLE, [float("inf"), 2]), "is infinite, or too large for FP32, in row 0"),
        ("dest", Column.of("", DOUBLE, [1, 2]), "holds numbers; give texts (BYTES)"),
        ("stops", Column.of("", DOUBLE, [1, 2]), "holds numbers; give whole numbers (INT32)"),
        ("stops", Column.of("", INT64, [2**31, 0]), "does not fit INT32, -2147483648 to 2147483647, in row 0"),
        ("stops", Column.of("", INT64, [0, -(2**31) - 1]), "does not fit INT32, -2147483648 to 2147483647, in row 1"),
        ("late", Column.of("", INT64, [0, 1]), "holds whole numbers; give truth values (BOOL)"),
    ],
)
def test_a_wrong_column_is_named_with_its_row_and_its_mend(name: str, column: Column | None, said: str) -> None:
    given = None if column is None else Column(name, column.kind, column.values, column.absent)
    found = refused(**{name: given})
    assert list(found) == [f"features[{name}]"]
    assert found[f"features[{name}]"].startswith(said)


def test_every_wrong_column_is_named_at_once() -> None:
    assert set(refused(distance=None, dest=None, late=Column.of("late", INT64, [0, 1]))) == {
        "features[distance]",
        "features[dest]",
        "features[late]",
    }


@pytest.mark.parametrize(
    ("name", "said"), [("distanse", "did you mean 'distance'?"), ("zzz", "the version takes distance, plane_year,")]
)
def test_a_stranger_is_told_what_it_may_have_meant(name: str, said: str) -> None:
    found = refused(**{name: Column.of(name, DOUBLE, [1, 2])})
    assert said in found[f"features[{name}]"]


def test_rows_are_named_by_their_place_in_the_caller_s_request() -> None:
    signature = Signature((ColumnSpec("x", DataType.FP32),), ())
    column = Column.of("x", DOUBLE, [1, 2, 3, 4, 5, 6, 7], [0, 1, 2, 3, 4, 5, 6])
    with pytest.raises(InvalidInput) as caught:
        conform(signature, [column], 7, places=np.arange(10, 80, 10), field="inputs")
    assert [(one.field, one.description) for one in caught.value.violations] == [
        ("inputs[x]", "is absent in row 10, 20, 30, 40, 50 and 2 more; the version needs a value in every row")
    ]


@pytest.mark.parametrize("kind", [DataType.INT32, DataType.INT64, DataType.BOOL])
def test_what_has_no_absent_value_can_t_be_nullable(kind: DataType) -> None:
    assert "nullable" in str(check_servable(Signature((ColumnSpec("x", kind, nullable=True),), ())))
    fine: Any = Signature((ColumnSpec("x", kind), ColumnSpec("y", DataType.BYTES, True)), ())
    assert check_servable(fine) is None


WHOLE = [kind for kind in DataType if kind in RANGES]


@pytest.mark.parametrize("kind", WHOLE)
def test_whole_numbers_fit_their_type_or_are_named_with_it(kind: DataType) -> None:
    signature = Signature((ColumnSpec("x", kind),), ())
    least, most = RANGES[kind][0], RANGES[kind][-1]
    edges = np.array([least, most], np.uint64 if most >= 2**63 else np.int64)
    made = conform(signature, [Column("x", INT64, edges)], 2)["x"]
    assert (made.dtype, made.tolist()) == (DTYPES[kind], [least, most])
    for beyond in (least - 1, most + 1):
        if -(2**63) <= beyond < 2**64:
            given = np.array([0, beyond], np.uint64 if beyond >= 2**63 else np.int64)
            with pytest.raises(InvalidInput, match=rf"does not fit {kind}, {least} to {most}, in row 1"):
                conform(signature, [Column("x", INT64, given)], 2)


def test_half_precision_is_taken_and_what_is_too_large_is_named() -> None:
    signature = Signature((ColumnSpec("x", DataType.FP16, shape=(2,)),), ())
    made = conform(signature, [Column("x", DOUBLE, np.array([[0.5, 65504], [1, 2]]))], 2)["x"]
    assert (made.dtype, made.tolist()) == (np.float16, [[0.5, 65504], [1, 2]])
    with pytest.raises(InvalidInput, match="too large for FP16, in row 1"):
        conform(signature, [Column("x", DOUBLE, np.array([[0.5, 1], [1, 1e5]]))], 2)


def test_a_column_that_suits_is_not_copied() -> None:
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    signature = Signature((ColumnSpec("x", DataType.FP32, shape=(3, 1)),), ())
    assert np.shares_memory(conform(signature, [Column("x", DOUBLE, values)], 2)["x"], values)
    [empty] = conform(replace(signature, inputs=(replace(signature.inputs[0], nullable=True),)), [], 2).values()
    assert (empty.shape, np.isnan(empty).all()) == ((2, 3, 1), True)
    gone = conform(
        replace(signature, inputs=(replace(signature.inputs[0], nullable=True),)), [Column("x", DOUBLE, values, [1])], 2
    )["x"]
    assert (np.isnan(gone).ravel().tolist(), values.max()) == ([False] * 3 + [True] * 3, 5)


@pytest.mark.parametrize(
    ("spec", "values", "told"),
    [
        (
            ColumnSpec("x", DataType.FP32, minimum=0, maximum=120),
            [1, -3, 0, 120.5],
            "is -3, .* from 0 to 120 are valid, in row 1, 3",
        ),
        (ColumnSpec("x", DataType.FP32, minimum=0.1), [0.1, 0.05], "is 0.05, .* at least 0.1 are valid, in row 1"),
        (ColumnSpec("x", DataType.UINT8, maximum=9.5), [9, 10], "is 10, .* at most 9.5 are valid, in row 1"),
        (ColumnSpec("x", DataType.FP16, minimum=-1e9, maximum=1), [1, 2], "is 2, .* in row 1"),
        (ColumnSpec("x", DataType.INT64, minimum=0), [0, -1], "is -1, .* in row 1"),
        (ColumnSpec("x", DataType.FP32, shape=(2,), maximum=1), [[1, 1], [0, 2]], "is 2, .* in row 1"),
    ],
)
def test_a_number_that_is_not_valid_is_named_with_its_row_and_the_range(
    spec: ColumnSpec, values: Any, told: str
) -> None:
    column = Column("x", INT64 if spec.datatype in RANGES else DOUBLE, np.array(values))
    with pytest.raises(InvalidInput, match=told) as caught:
        conform(Signature((spec,), ()), [column], len(values))
    assert [one.field for one in caught.value.violations] == ["features[x]"]


def test_absence_is_within_any_range() -> None:
    spec = ColumnSpec("x", DataType.FP32, True, minimum=1, maximum=2)
    made = conform(Signature((spec,), ()), [Column.of("x", DOUBLE, [1, 0, 2], [1])], 3)["x"]
    assert np.isnan(made).tolist() == [False, True, False]


FLOAT_TYPES = [DataType.FP16, DataType.FP32, DataType.FP64]
FLOATS_OF_ANY_SIZE = st.one_of(st.floats(), st.sampled_from([1e300, -1e39, float("nan"), float("inf")]))


@given(st.lists(st.tuples(st.sampled_from(FLOAT_TYPES), FLOATS_OF_ANY_SIZE, st.booleans()), min_size=1, max_size=6))
def test_columns_that_are_fitted_together_are_as_each_alone(drawn: list[tuple[DataType, float, bool]]) -> None:
    specs = tuple(ColumnSpec(f"c{n}", kind, nullable=nullable) for n, (kind, _, nullable) in enumerate(drawn))
    columns = [Column(f"c{n}", ValueKind.DOUBLE, np.array([1.5, number])) for n, (_, number, _) in enumerate(drawn)]
    fitted, faults = {}, []
    for spec, column in zip(specs, columns, strict=True):
        try:
            fitted |= conform(Signature((spec,), ()), [column], 2)
        except InvalidInput as error:
            faults += error.violations
    if faults:
        with pytest.raises(InvalidInput) as told:
            conform(Signature(specs, ()), columns, 2)
        assert list(told.value.violations) == faults
        return
    together = conform(Signature(specs, ()), columns, 2)
    assert list(together) == list(fitted)
    for name, values in together.items():
        assert values.dtype == fitted[name].dtype
        np.testing.assert_array_equal(values, fitted[name])
