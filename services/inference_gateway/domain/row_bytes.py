"""Rows of a column as bytes that are the same when the rows mean the same: what digests and routing go by.

The form of a single value stands for ever: digests on disk were made of it. A vector's is V, its length, and its
values; none of them is the start of another.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import numpy.typing as npt

_LENGTH = struct.Struct("<I")
_EXACT = 2**53  # the whole numbers up to here are doubles
_MOST_SIGNED = 2**63 - 1


def row_bytes(values: npt.NDArray[Any]) -> list[bytes]:
    """The bytes of each row of ``values`` [rows, width]; empty where it says nothing."""
    wide = values.shape[1]
    head = b"" if wide == 1 else b"V" + _LENGTH.pack(wide)
    match values.dtype.kind:
        case "f":
            return _numbers(values, head)
        case "i" | "u":
            return _wholes(values, head)
        case "b":
            return [head + row.translate(_TRUTHS) for row in _sliced(values.astype(np.uint8))]
        case _:
            return [head + b"".join(map(_text, row)) for row in values.tolist()]


def _numbers(values: npt.NDArray[Any], head: bytes) -> list[bytes]:
    exact = values.astype(np.float64) + 0.0  # -0.0 is 0.0
    absent = np.isnan(exact)
    encoded = [head + b"N" + row for row in _sliced(np.where(absent, np.nan, exact))]
    for row in np.flatnonzero(absent.all(axis=1)).tolist():
        encoded[row] = b""
    return encoded


def _wholes(values: npt.NDArray[Any], head: bytes) -> list[bytes]:
    encoded = _numbers(values, head)
    rows = np.flatnonzero(((values > _EXACT) | (values < -_EXACT)).any(axis=1))
    past = np.asarray((values[rows] > _MOST_SIGNED).any(axis=1))
    wide = values[rows].astype(np.uint64 if values.dtype.kind == "u" else np.int64)
    for row, unsigned, data in zip(rows.tolist(), past.tolist(), _sliced(wide), strict=True):
        encoded[row] = head + (b"U" if unsigned else b"I") + data
    return encoded


def _sliced(values: npt.NDArray[Any]) -> list[bytes]:
    """The bytes of each row, little-endian."""
    data = values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes()
    step = values.shape[1] * values.itemsize
    return [data[at : at + step] for at in range(0, len(data), step)]


def _text(value: str) -> bytes:
    data = value.encode()
    return b"T" + _LENGTH.pack(len(data)) + data


_TRUTHS = bytes.maketrans(b"\x00\x01", b"FY")
