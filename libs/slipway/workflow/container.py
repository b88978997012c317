"""One artifact for one output: a JSON header, then the raw bytes that it refers to by position."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from typing import Any

from slipway.errors import Kind, SlipwayError

_MAGIC = b"SLIPOUT1"
_LENGTH = struct.Struct(">Q")
_START = len(_MAGIC) + _LENGTH.size


class BadContainer(SlipwayError):
    """The bytes are not a stored output."""

    kind = Kind.DATA_LOSS
    reason = "BAD_OUTPUT"

    def __init__(self, what: str) -> None:
        super().__init__(f"these bytes are not a stored output of a step: {what}")


def pack(value: Any, blobs: Sequence[bytes]) -> bytes:
    """The same value and blobs give the same bytes."""
    header = {"value": value, "blobs": [len(blob) for blob in blobs]}
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    return b"".join([_MAGIC, _LENGTH.pack(len(text)), text, *blobs])


def unpack(data: bytes) -> tuple[Any, list[bytes]]:
    """What was packed. Raises BadContainer."""
    if len(data) < _START or not data.startswith(_MAGIC):
        raise BadContainer("they do not begin as one")
    (length,) = _LENGTH.unpack_from(data, len(_MAGIC))
    try:
        header = json.loads(data[_START : _START + length].decode("utf-8", "surrogatepass"))
        value, sizes = header["value"], [int(size) for size in header["blobs"]]
    except (ValueError, KeyError, TypeError) as error:
        raise BadContainer("their header can't be read") from error
    at = _START + length
    if at + sum(sizes) != len(data) or min(sizes, default=0) < 0:
        raise BadContainer("their length is not what the header says")
    blobs = []
    for size in sizes:
        blobs.append(data[at : at + size])
        at += size
    return value, blobs
