"""Floats as protobuf packs them: a message whose only field is a packed list of floats or doubles.

On the wire they lie as they do in memory, so a column of them is one copy instead of an object a value.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import Any

import numpy as np

from services.inference_gateway.domain.columns import Array

_FEW = 8  # numbers that are less work as objects than an array is as another
_DELIMITED = 2  # by its length


def packed(array: Array) -> bytes:
    """The message that holds the array's elements in row-major order, in field 1."""
    data = little_endian(array)
    return head(1, len(data)) + data if data else b""


def little_endian(array: Array) -> bytes:
    """The array's elements as the wire has them, in row-major order."""
    return array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()


def doubles(array: Array) -> bytes:
    """The array's numbers as doubles on the wire, in row-major order."""
    if array.size <= _FEW:
        return struct.pack(f"<{array.size}d", *array.ravel().tolist())
    with np.errstate(invalid="ignore"):  # some NaNs are not to be converted, by the letter
        return little_endian(array.astype(np.float64, copy=False))


def unpacked(message: bytes, count: int, dtype: np.dtype[Any], field: int = 1) -> Array | None:
    """The ``count`` elements of a message's field; None when it holds more than these. The array is read-only."""
    if not count:
        return np.empty(0, dtype=dtype)
    size = count * dtype.itemsize
    before = head(field, size)
    if not message.startswith(before) or len(message) != len(before) + size:
        return None  # other fields lie beside it
    return np.frombuffer(message, dtype=dtype.newbyteorder("<"), offset=len(before)).astype(dtype, copy=False)


@lru_cache(maxsize=4096)
def head(field: int, size: int) -> bytes:
    """What stands before a field that takes ``size`` bytes: its number, and how many they are."""
    return varint(field << 3 | _DELIMITED) + varint(size)


def varint(number: int) -> bytes:
    """A whole number from 0 on, as the wire has it."""
    made = bytearray()
    while number > 0x7F:
        made.append(number & 0x7F | 0x80)
        number >>= 7
    made.append(number)
    return bytes(made)
