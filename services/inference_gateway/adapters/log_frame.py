"""What the prediction log's spool holds: a batch of one endpoint, and when it was answered."""

from __future__ import annotations

import struct
from typing import NamedTuple

_HEAD = struct.Struct("<HQ")  # the turn and the bytes of the key, microseconds since 1970 UTC
_TURN_BIT = 14
_KEY_BITS = (1 << _TURN_BIT) - 1

ALONE = 0
"""The turn of frames that go as an event each; those of before turns were noted have it."""
HEAD_BYTES = _HEAD.size


class Frame(NamedTuple):
    """A batch's ``value``, a serialized ``PredictionBatch``; ``key`` is its endpoint, ``time_us`` since 1970 UTC.

    Of those that follow each other, the ones with one ``turn``, 1 or 2, were appended between two looks at what waits:
    whoever looks again, after whatever crash, finds the same ones together.
    """

    turn: int
    key: str
    time_us: int
    value: bytes

    @property
    def size_bytes(self) -> int:
        """What it takes in the spool."""
        return HEAD_BYTES + len(self.key.encode()) + len(self.value)

    def pack(self) -> tuple[bytes, bytes]:
        """Its bytes, in pieces: the value is the last one."""
        key = self.key.encode()
        head = _HEAD.pack(self.turn << _TURN_BIT | len(key), self.time_us)
        return head + key, self.value

    @classmethod
    def unpack(cls, data: bytes) -> Frame:
        """A frame from its bytes."""
        told, time_us = _HEAD.unpack_from(data)
        end = HEAD_BYTES + (told & _KEY_BITS)
        return cls(told >> _TURN_BIT, data[HEAD_BYTES:end].decode(), time_us, data[end:])
