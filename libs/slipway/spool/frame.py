"""Frames as bytes: ``magic | payload length | crc32c | payload``, little-endian, 12 bytes before each payload.

The checksum starts from the segment's name and covers the frame's offset and length with its payload. So bytes
that only look like a frame (a payload holding another frame, a block left from an older file) never pass as one.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import google_crc32c

# Two bytes that no UTF-8 text holds keep the search for the next frame from stopping in ordinary payloads.
_MAGIC = b"\xf5\xc1SF"
_UNFINISHED = b"\xf5\xc1SU"
_HEADER = struct.Struct("<4sII")
_PLACE = struct.Struct("<QI")
HEADER_BYTES = _HEADER.size
_WINDOW_BYTES = 256 * 1024


class Frame(NamedTuple):
    """A whole frame: its first byte, the byte after its last, and what was appended."""

    offset: int
    end: int
    payload: bytes


class Gap(NamedTuple):
    """Bytes that are no frame."""

    offset: int
    end: int


Payload = bytes | tuple[bytes, ...]
"""What a frame holds; in pieces, where putting them together would be one copy more."""


def length(payload: Payload) -> int:
    """Its bytes."""
    return len(payload) if isinstance(payload, bytes) else sum(map(len, payload))


def encode(payloads: Sequence[Payload], seed: int, offset: int) -> tuple[list[bytes], list[int]]:
    """The payloads framed for writing at ``offset``, in pieces, a header before each; and the offset of each frame."""
    parts: list[bytes] = []
    offsets: list[int] = []
    for payload in payloads:
        pieces = (payload,) if isinstance(payload, bytes) else payload
        size = sum(map(len, pieces))
        crc = google_crc32c.extend(seed, _PLACE.pack(offset, size))
        for piece in pieces:
            crc = google_crc32c.extend(crc, piece)
        parts += (_HEADER.pack(_MAGIC, size, crc), *pieces)
        offsets.append(offset)
        offset += HEADER_BYTES + size
    return parts, offsets


def unfinished(size: int, seed: int, offset: int) -> bytes:
    """What stands at ``offset`` in place of a header while the ``size`` bytes behind it are no frame's yet."""
    return _HEADER.pack(_UNFINISHED, size, google_crc32c.extend(seed, _PLACE.pack(offset, size)))


def scan(fd: int, seed: int, start: int, end: int) -> Iterator[Frame | Gap]:
    """What lies between two offsets of a segment's file, in order and without holes."""
    window = _Window(fd, end)
    at, gap = start, -1
    while at < end:
        payload = _decode(window, seed, at, end)
        if payload is None:
            gap = at if gap < 0 else gap
            # What is not finished is a caller's, who may have written anything in there.
            at = min(_behind(window, seed, at), end) or window.find(_MAGIC, at + 1)
            continue
        if gap >= 0:
            yield Gap(gap, at)
            gap = -1
        frame = Frame(at, at + HEADER_BYTES + len(payload), payload)
        yield frame
        at = frame.end
    if gap >= 0:
        yield Gap(gap, end)


def _decode(window: _Window, seed: int, at: int, end: int) -> bytes | None:
    header = window.read(at, HEADER_BYTES)
    if len(header) < HEADER_BYTES:
        return None
    magic, length, crc = _HEADER.unpack(header)
    if magic != _MAGIC or length > end - at - HEADER_BYTES:
        return None
    payload = window.read(at + HEADER_BYTES, length)
    expected = google_crc32c.extend(google_crc32c.extend(seed, _PLACE.pack(at, length)), payload)
    return payload if expected == crc else None


def _behind(window: _Window, seed: int, at: int) -> int:
    """Where what is told to be unfinished at a place ends; 0 where nothing is."""
    header = window.read(at, HEADER_BYTES)
    if not header.startswith(_UNFINISHED) or len(header) < HEADER_BYTES:
        return 0
    _, size, _ = _HEADER.unpack(header)
    return at + HEADER_BYTES + size if header == unfinished(size, seed, at) else 0


class _Window:
    """A file read in large pieces, up to ``end``."""

    def __init__(self, fd: int, end: int) -> None:
        self._fd = fd
        self._end = end
        self._offset = 0
        self._bytes = b""

    def read(self, offset: int, size: int) -> bytes:
        """The bytes there; fewer at the end."""
        first = offset - self._offset
        if first < 0 or first + size > len(self._bytes):
            wanted = min(max(size, _WINDOW_BYTES), self._end - offset)
            self._offset, self._bytes = offset, _read_all(self._fd, wanted, offset)
            first = 0
        return self._bytes[first : first + size]

    def find(self, pattern: bytes, offset: int) -> int:
        """The first offset of ``pattern`` from ``offset`` on, or the end."""
        while offset + len(pattern) <= self._end:
            self.read(offset, len(pattern))
            found = self._bytes.find(pattern, offset - self._offset)
            if found >= 0:
                return self._offset + found
            offset = max(offset + 1, self._offset + len(self._bytes) - len(pattern) + 1)
        return self._end


def _read_all(fd: int, size: int, offset: int) -> bytes:
    pieces = []
    while size > 0:
        piece = os.pread(fd, size, offset)
        if not piece:
            break
        pieces.append(piece)
        offset += len(piece)
        size -= len(piece)
    return b"".join(pieces)
