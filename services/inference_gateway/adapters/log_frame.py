"""What the prediction log's spool holds: a batch of one endpoint, and when it was answered."""

from __future__ import annotations

import struct
from typing import NamedTuple

_HEAD = struct.Struct("<HQ")  # the turn and the bytes of the key, microseconds since 1970 UTC
_TURN_BIT = 14
_KEY_BITS = (1 << _TURN_BIT) - 1

ALONE = 0
"""The turn of frames that go as an event each; those of before turns were noted have it."""


class Frame(NamedTuple):
    """A batch, a serialized ``PredictionBatch`` in ``pieces``; ``key`` is its endpoint, ``time_us`` since 1970 UTC.

    Of those that follow each other, the ones with one ``turn``, 1 or 2, were appended between two looks at what waits:
    whoever looks again, after whatever crash, finds the same ones together.
    """

    turn: int
    key: str
    time_us: int
    pieces: tuple[bytes, ...]

    @property
    def value(self) -> bytes:
        """The batch in one piece."""
        return self.pieces[0] if len(self.pieces) == 1 else b"".join(self.pieces)

    @property
    def value_bytes(self) -> int:
        """What the batch takes."""
        return sum(map(len, self.pieces))

    @property
    def size_bytes(self) -> int:
        """What it takes in the spool."""
        return head_bytes(self.key) + self.value_bytes

    def pack(self) -> tuple[bytes, ...]:
        """Its bytes, in pieces: one before the batch's."""
        key = self.key.encode()
        head = _HEAD.pack(self.turn << _TURN_BIT | len(key), self.time_us)
        return head + key, *self.pieces

    @classmethod
    def unpack(cls, data: bytes) -> Frame:
        """A frame from its bytes."""
        told, time_us = _HEAD.unpack_from(data)
        end = _HEAD.size + (told & _KEY_BITS)
        return cls(told >> _TURN_BIT, data[_HEAD.size : end].decode(), time_us, (data[end:],))


def head_bytes(key: str) -> int:
    """What comes before the batch of an endpoint."""
    return _HEAD.size + len(key.encode())
