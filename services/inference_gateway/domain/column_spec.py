"""The types of columns and tensors, and what a version's column is."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass

import numpy as np

from services.inference_gateway.domain.columns import ValueKind


class DataType(enum.StrEnum):
    """The types of columns and tensors, by their names in the Open Inference Protocol."""

    BOOL = "BOOL"
    INT32 = "INT32"
    INT64 = "INT64"
    FP32 = "FP32"
    FP64 = "FP64"
    BYTES = "BYTES"


DTYPES = {
    DataType.BOOL: np.dtype(np.bool_),
    DataType.INT32: np.dtype(np.int32),
    DataType.INT64: np.dtype(np.int64),
    DataType.FP32: np.dtype(np.float32),
    DataType.FP64: np.dtype(np.float64),
    DataType.BYTES: np.dtype(object),
}
RANGES = {DataType.INT32: range(-(2**31), 2**31), DataType.INT64: range(-(2**63), 2**63)}
"""The whole numbers that a type holds."""
FLOATS = {DataType.FP32, DataType.FP64}
TAKES = {
    DataType.BOOL: {ValueKind.BOOL},
    DataType.INT32: {ValueKind.INT64},
    DataType.INT64: {ValueKind.INT64},
    DataType.FP32: {ValueKind.DOUBLE, ValueKind.INT64},
    DataType.FP64: {ValueKind.DOUBLE, ValueKind.INT64},
    DataType.BYTES: {ValueKind.STRING},
}


@dataclass(frozen=True, slots=True)
class ColumnSpec:
    """One feature column that a version takes; ``feature`` names what it may be read from online, ``view:feature``.

    ``shape`` is that of a row's values; empty for one value a row.
    """

    name: str
    datatype: DataType
    nullable: bool = False
    feature: str = ""
    shape: tuple[int, ...] = ()

    @property
    def width(self) -> int:
        """Values a row."""
        return math.prod(self.shape)

    @property
    def wanted(self) -> str:
        """What to give, in words."""
        kinds = " or ".join(sorted(kind.value for kind in TAKES[self.datatype]))
        return f"{kinds} ({self.datatype}{f' of shape {list(self.shape)}' if self.shape else ''})"
