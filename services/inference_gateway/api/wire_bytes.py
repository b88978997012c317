"""Protobuf's messages as bytes, as far as is looked at without parsing them."""

from __future__ import annotations

DELIMITED = 2
"""The type of a field that has a length."""
_ONE_BYTE = 0x80  # lengths below it take one
_LONGEST_LENGTH = 5  # bytes, as protobuf has it


def length(data: bytes, at: int) -> tuple[int, int]:
    """The number at a place, and where what follows it begins. Raises IndexError where it has no end."""
    size = data[at]
    if size < _ONE_BYTE:
        return size, at + 1
    size &= 0x7F
    for place in range(1, _LONGEST_LENGTH):
        more = data[at + place]
        size |= (more & 0x7F) << 7 * place
        if more < _ONE_BYTE:
            return size, at + place + 1
    raise IndexError
