"""Holding a model's outputs to its signature."""

from __future__ import annotations

import math

import numpy as np

from services.inference_gateway.domain.columns import Array
from services.inference_gateway.domain.signature import DTYPES, DataType, Signature, Tensors


class Outputs(dict[str, Array]):
    """A model's outputs by name, [rows, …] each, and the seconds that it took to get them.

    ``ran_s`` the model itself took, ``packed_s`` handing its inputs over, ``unpacked_s`` taking these back.
    """

    __slots__ = ("packed_s", "ran_s", "unpacked_s")

    def __init__(self, tensors: Tensors, ran_s: float = 0.0, packed_s: float = 0.0, unpacked_s: float = 0.0) -> None:
        super().__init__(tensors)
        self.ran_s = ran_s
        self.packed_s = packed_s
        self.unpacked_s = unpacked_s


def warm_row(signature: Signature) -> Tensors:
    """One synthetic row that any model of the signature must answer: absent where it may be, else zero or empty."""
    row: Tensors = {}
    for spec in signature.inputs:
        empty: object = "" if spec.datatype is DataType.BYTES else 0
        row[spec.name] = np.full((1, *spec.shape), empty, dtype=DTYPES[spec.datatype])
    return row


def repeated(rows: Tensors, count: int) -> Tensors:
    """``count`` rows: these, over and over."""
    return {name: np.take(array, np.arange(count) % len(array), axis=0) for name, array in rows.items()}


def shaped(signature: Signature, outputs: Tensors, rows: int) -> Tensors:
    """The signature's outputs as [rows, …] arrays. Raises ValueError saying which one is not what was announced."""
    found: Tensors = {}
    for spec in signature.outputs:
        if spec.name not in outputs:
            raise ValueError(f"the model gives no output {spec.name!r}; it gives {', '.join(sorted(outputs))}")
        array = outputs[spec.name]
        shape = (rows, *spec.shape[1:])
        if array.size != math.prod(shape) or (array.ndim > 0 and array.shape[0] != rows):
            raise ValueError(f"output {spec.name!r} has shape {list(array.shape)} for {rows} rows, not {list(shape)}")
        if (spec.datatype is DataType.BYTES) != (array.dtype.kind in "OUS"):
            raise ValueError(f"output {spec.name!r} holds {array.dtype}, not {spec.datatype}")
        if spec.datatype is not DataType.BYTES:
            array = array.astype(DTYPES[spec.datatype], copy=False)
        found[spec.name] = array.reshape(shape)
    return found
