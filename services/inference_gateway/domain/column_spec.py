"""The types of columns and tensors, and what a version's column is."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from services.inference_gateway.domain.columns import Array, ValueKind


class DataType(enum.StrEnum):
    """The types of columns and tensors, by their names in the Open Inference Protocol; a worker knows their order."""

    BOOL = "BOOL"
    INT32 = "INT32"
    INT64 = "INT64"
    FP32 = "FP32"
    FP64 = "FP64"
    BYTES = "BYTES"
    INT8 = "INT8"
    INT16 = "INT16"
    UINT8 = "UINT8"
    UINT16 = "UINT16"
    UINT32 = "UINT32"
    UINT64 = "UINT64"
    FP16 = "FP16"

    __hash__ = str.__hash__  # an enumeration's own costs a call


_SIGNED = {DataType.INT8: 8, DataType.INT16: 16, DataType.INT32: 32, DataType.INT64: 64}
_UNSIGNED = {DataType.UINT8: 8, DataType.UINT16: 16, DataType.UINT32: 32, DataType.UINT64: 64}
DTYPES = {
    DataType.BOOL: np.dtype(np.bool_),
    DataType.INT32: np.dtype(np.int32),
    DataType.INT64: np.dtype(np.int64),
    DataType.FP32: np.dtype(np.float32),
    DataType.FP64: np.dtype(np.float64),
    DataType.BYTES: np.dtype(object),
    DataType.INT8: np.dtype(np.int8),
    DataType.INT16: np.dtype(np.int16),
    DataType.UINT8: np.dtype(np.uint8),
    DataType.UINT16: np.dtype(np.uint16),
    DataType.UINT32: np.dtype(np.uint32),
    DataType.UINT64: np.dtype(np.uint64),
    DataType.FP16: np.dtype(np.float16),
}
FLOATS = {DataType.FP16, DataType.FP32, DataType.FP64}
RANGES = {
    **{kind: range(-(2 ** (bits - 1)), 2 ** (bits - 1)) for kind, bits in _SIGNED.items()},
    **{kind: range(2**bits) for kind, bits in _UNSIGNED.items()},
}
"""The whole numbers that a type holds."""
KINDS = {
    DataType.BOOL: ValueKind.BOOL,
    DataType.BYTES: ValueKind.STRING,
    **dict.fromkeys(FLOATS, ValueKind.DOUBLE),
    **dict.fromkeys(RANGES, ValueKind.INT64),
}
"""What values of a type are."""
TAKES = {kind: {KINDS[kind]} | ({ValueKind.INT64} if kind in FLOATS else set()) for kind in DataType}


@dataclass(frozen=True)
class ColumnSpec:
    """One feature column that a version takes; ``feature`` names what it may be read from online, ``view:feature``.

    ``shape`` is that of a row's values; empty for one value a row. ``minimum`` and ``maximum`` are the numbers that are
    valid at all; None for any. ``typical`` is what training rows had; None where nobody told.
    """

    name: str
    datatype: DataType
    nullable: bool = False
    feature: str = ""
    shape: tuple[int, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    typical: float | str | None = None

    @property
    def width(self) -> int:
        """Values a row."""
        return math.prod(self.shape)

    @property
    def wanted(self) -> str:
        """What to give, in words."""
        kinds = " or ".join(sorted(kind.value for kind in TAKES[self.datatype]))
        return f"{kinds} ({self.datatype}{f' of shape {list(self.shape)}' if self.shape else ''})"

    @cached_property
    def bounded(self) -> bool:
        """Whether some numbers are not valid."""
        return self.minimum is not None or self.maximum is not None

    @property
    def valid(self) -> str:
        """The numbers that are valid, in words."""
        if self.minimum is None or self.maximum is None:
            return f"at most {self.maximum:g}" if self.minimum is None else f"at least {self.minimum:g}"
        return f"from {self.minimum:g} to {self.maximum:g}"

    def beyond(self, values: Array) -> Array:
        """Which of the numbers are not valid; NaN is no number."""
        mask = np.zeros(values.shape, dtype=np.bool_)
        if self.minimum is not None:
            mask |= values < self.minimum
        if self.maximum is not None:
            mask |= values > self.maximum
        return mask
