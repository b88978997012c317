"""Tensors as bytes, in the Open Inference Protocol's raw form.

Raw form: numbers little-endian in row-major order; a BYTES element is a 4-byte little-endian length and its data.
"""

from __future__ import annotations

import math
import struct

import numpy as np

from services.inference_gateway.domain.columns import Array
from services.inference_gateway.domain.signature import DTYPES, DataType

_LENGTH = struct.Struct("<I")
_WIRE = {kind: dtype.newbyteorder("<") for kind, dtype in DTYPES.items()}
_KIND_OF = {dtype: kind for kind, dtype in DTYPES.items()}


class BadRaw(ValueError):
    """Bytes that are not a tensor of the announced type and shape; the message says why."""


def pack_raw(kind: DataType, array: Array) -> bytes:
    """A tensor's raw form."""
    if kind is not DataType.BYTES:
        return array.astype(_WIRE[kind], copy=False).tobytes()
    pieces: list[bytes] = []
    for value in array.ravel():
        data = value if isinstance(value, bytes) else str(value).encode()
        pieces += (_LENGTH.pack(len(data)), data)
    return b"".join(pieces)


def unpack_raw(kind: DataType, shape: tuple[int, ...], data: bytes | memoryview) -> Array:
    """A tensor from its raw form; texts are str. Raises BadRaw unless the bytes fit the shape exactly."""
    if shape and min(shape) < 0:
        raise BadRaw(f"has shape {list(shape)}; a size can't be negative")
    count = math.prod(shape)  # Python's integers do not overflow, whatever sizes a caller sends
    try:
        return _flat(kind, count, data).reshape(shape)
    except ValueError as error:
        if isinstance(error, BadRaw):
            raise
        raise BadRaw(f"has shape {list(shape)}, which no array can have") from error


def _flat(kind: DataType, count: int, data: bytes | memoryview) -> Array:
    if kind is DataType.BYTES:
        return _unpack_texts(count, bytes(data))
    dtype = _WIRE[kind]
    if count * dtype.itemsize != len(data):
        raise BadRaw(f"has {len(data)} bytes where {count} elements of {kind} take {count * dtype.itemsize}")
    if kind is DataType.BOOL:
        # An array of bool that holds a 2 is neither true nor false.
        return np.not_equal(np.frombuffer(data, dtype=np.uint8), 0)
    return np.frombuffer(data, dtype=dtype).astype(DTYPES[kind], copy=False)


def _unpack_texts(count: int, data: bytes) -> Array:
    if count * _LENGTH.size > len(data):
        raise BadRaw(f"has {len(data)} bytes, too few for {count} texts of a 4-byte length each")
    texts: list[str] = []
    at = 0
    try:
        while at < len(data) and len(texts) < count:
            (length,) = _LENGTH.unpack_from(data, at)
            at += _LENGTH.size + length
            if at > len(data):
                break
            texts.append(data[at - length : at].decode())
    except (struct.error, UnicodeDecodeError) as error:
        raise BadRaw(f"holds a text that is cut short or not UTF-8, at byte {at}") from error
    if at != len(data) or len(texts) != count:
        raise BadRaw(f"holds {len(texts)} whole texts and ends at byte {at} of {len(data)}; {count} are announced")
    array = np.empty(count, dtype=object)
    array[:] = texts
    return array


def kind_of(array: Array) -> DataType:
    """The data type of an array. Raises BadRaw for one that has none."""
    if kind := _KIND_OF.get(array.dtype):
        return kind
    if array.dtype.kind in "US":
        return DataType.BYTES
    raise BadRaw(f"has element type {array.dtype}, which can't be served; convert it in the model")
