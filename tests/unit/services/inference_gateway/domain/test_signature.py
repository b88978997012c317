from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from services.inference_gateway.domain.columns import Column, ValueKind
from services.inference_gateway.domain.signature import (
    DTYPES,
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
