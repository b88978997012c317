from __future__ import annotations

import numpy as np
import pytest

from services.inference_gateway.domain.outputs import shaped, warm_row
from services.inference_gateway.domain.signature import DTYPES, ColumnSpec, DataType, Signature, Tensors, TensorSpec


def giving(datatype: DataType, *shape: int) -> Signature:
    return Signature((), (TensorSpec("y", datatype, shape),))


@pytest.mark.parametrize(
    ("spec", "array", "shape"),
    [
        (giving(DataType.FP32, -1, 1), np.zeros((3, 1), np.float32), (3, 1)),
        (giving(DataType.FP32, -1, 1), np.zeros(3, np.float32), (3, 1)),
        (giving(DataType.FP32, -1), np.zeros((3, 1), np.float32), (3,)),
        (giving(DataType.FP32, -1, 2, 2), np.zeros((3, 4), np.float32), (3, 2, 2)),
        (giving(DataType.BYTES, -1), np.array(["a", "b", "c"], object), (3,)),
    ],
)
def test_an_output_takes_the_announced_shape(spec: Signature, array: np.ndarray, shape: tuple[int, ...]) -> None:
    found = shaped(spec, {"y": array, "other": np.zeros(1)}, 3)
    assert list(found) == ["y"]
    assert (found["y"].shape, found["y"].dtype) == (shape, DTYPES[spec.outputs[0].datatype])


@pytest.mark.parametrize(
    ("spec", "outputs", "said"),
    [
        (giving(DataType.FP32, -1), {"z": np.zeros(3)}, "no output 'y'; it gives z"),
        (giving(DataType.FP32, -1), {"y": np.zeros(2)}, r"shape \[2\] for 3 rows"),
        (giving(DataType.FP32, -1, 2), {"y": np.zeros((2, 3))}, r"not \[3, 2\]"),
        (giving(DataType.FP32, -1), {"y": np.zeros((1, 3))}, r"not \[3\]"),
        (giving(DataType.FP32, -1), {"y": np.array(["a"] * 3, object)}, "holds object, not FP32"),
        (giving(DataType.BYTES, -1), {"y": np.zeros(3)}, "holds float64, not BYTES"),
    ],
)
def test_another_output_than_announced_is_refused(spec: Signature, outputs: Tensors, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        shaped(spec, outputs, 3)


def test_the_warm_up_row_has_every_column() -> None:
    row = warm_row(Signature(tuple(ColumnSpec(kind, kind) for kind in DataType), ()))
    assert {name: (one.shape, one.dtype) for name, one in row.items()} == {
        kind: ((1,), DTYPES[kind]) for kind in DataType
    }
    assert row["BYTES"].tolist() == [""]
