"""64-bit hashes of rows' keys, for whole columns at once.

The same key has the same hash on every gateway, after every restart and on any platform: it is made of a value's bytes
(:mod:`row_bytes`) by whole numbers modulo 2**64. ``ALGORITHM`` names it; a change of any step is another algorithm,
deals every row anew, and needs another name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from services.inference_gateway.domain.columns import Array, Column

ALGORITHM = "slipway-1"
_LONGEST = 256  # bytes of a value that are hashed as they are; of a longer one it is its BLAKE2b
_MASK = 2**64 - 1
_SHIFT, _FIRST, _SECOND = np.uint64(33), np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)


def mixed(values: Array) -> Array:
    """MurmurHash3's last step: each bit depends on every bit; one to one, and 0 stays 0."""
    found: Array = values ^ (values >> _SHIFT)
    found *= _FIRST
    found ^= found >> _SHIFT
    found *= _SECOND
    found ^= found >> _SHIFT
    return found


@lru_cache(maxsize=4096)
def named(*names: str) -> np.uint64:
    """A hash of some names, for where there is one and not a column of them."""
    told = "\0".join((ALGORITHM, *names)).encode()
    return np.uint64(int.from_bytes(hashlib.blake2b(told, digest_size=8).digest(), "little"))


@lru_cache(maxsize=4096)
def _odd(*names: str) -> np.uint64:
    return named(*names) | np.uint64(1)


def hashed(columns: Sequence[Column], rows: int) -> Array:
    """A hash a row ([rows] of uint64) of its values in all columns, whatever their order; 0 where it has none."""
    found = np.zeros(rows, dtype=np.uint64)
    for column in columns:
        encoded = column.encoded_rows()
        values = hashed_bytes(encoded) * _odd("column", column.name)
        if b"" in encoded:
            values[[row for row, value in enumerate(encoded) if not value]] = 0
        found += mixed(values)
    return found


def hashed_bytes(values: Sequence[bytes]) -> Array:
    """A hash a value ([values] of uint64), whose bits are still to be mixed."""
    lengths = np.fromiter(map(len, values), dtype=np.uint64, count=len(values))
    longest = max(map(len, values), default=0)
    if longest > _LONGEST:
        values = [one if len(one) <= _LONGEST else hashlib.blake2b(one, digest_size=32).digest() for one in values]
        longest = _LONGEST
    width = max(1, -(-longest // 8))
    # Words past a value's end are 0 and add nothing, so that its hash does not depend on how long the others are.
    words = np.array(values, dtype=f"S{8 * width}").view("<u8").reshape(len(values), width).astype(np.uint64)
    sums = mixed(words * _places(width)).sum(axis=1, dtype=np.uint64)
    found: Array = (sums ^ (lengths * _odd("length"))) + named("value")
    return found


@lru_cache(maxsize=64)
def _places(width: int) -> Array:
    return np.array([_odd("place", str(place)) for place in range(width)], dtype=np.uint64)


def mixed_one(value: int) -> int:
    """:func:`mixed` of one. For a single value numpy's calls take longer than what they do."""
    value ^= value >> 33
    value = value * 0xFF51AFD7ED558CCD & _MASK
    value ^= value >> 33
    value = value * 0xC4CEB9FE1A85EC53 & _MASK
    return value ^ value >> 33


def hashed_one(columns: Sequence[Column]) -> int:
    """:func:`hashed` of one row."""
    found = 0
    for column in columns:
        [encoded] = column.encoded_rows()
        if encoded:
            found += mixed_one(hashed_bytes_one(encoded) * _whole("column", column.name) & _MASK)
    return found & _MASK


def hashed_bytes_one(value: bytes) -> int:
    """:func:`hashed_bytes` of one."""
    length = len(value)
    if length > _LONGEST:
        value = hashlib.blake2b(value, digest_size=32).digest()
    total = 0
    for place in range(-(-len(value) // 8)):
        word = int.from_bytes(value[8 * place : 8 * place + 8], "little")
        total += mixed_one(word * _whole("place", str(place)) & _MASK)
    return ((total & _MASK ^ length * _whole("length") & _MASK) + _VALUE) & _MASK


@lru_cache(maxsize=4096)
def _whole(*names: str) -> int:
    return int(_odd(*names))


_VALUE = int(named("value"))
