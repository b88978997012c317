"""Floats as protobuf packs them: a message whose only field is a packed list of floats or doubles.

On the wire they lie as they do in memory, so a column of them is one copy instead of an object a value.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from services.inference_gateway.domain.columns import Array

_DELIMITED = 2  # by its length


def packed(array: Array) -> bytes:
    """The message that holds the array's elements in row-major order, in field 1."""
    data = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).tobytes()
    return _head(1, len(data)) + data if data else b""


def unpacked(message: bytes, count: int, dtype: np.dtype[Any], field: int = 1) -> Array | None:
    """The ``count`` elements of a message's field; None when it holds more than these. The array is read-only."""
    if not count:
        return np.empty(0, dtype=dtype)
    size = count * dtype.itemsize
    head = _head(field, size)
    if not message.startswith(head) or len(message) != len(head) + size:
        return None  # other fields lie beside it
    return np.frombuffer(message, dtype=dtype.newbyteorder("<"), offset=len(head)).astype(dtype, copy=False)


def _head(field: int, number: int) -> bytes:
    made = bytearray((field << 3 | _DELIMITED,))
    while number > 0x7F:
        made.append(number & 0x7F | 0x80)
        number >>= 7
    made.append(number)
    return bytes(made)
