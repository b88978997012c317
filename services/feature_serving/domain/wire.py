"""Protobuf's wire format, as far as Feast's online layout needs it: ``feast.types.Value`` and ``Timestamp``.

Written by hand, for parsing one message object a value costs more than all else of a read. A value that is no value
of the asked type, whoever wrote it, raises ValueError.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any

from services.feature_serving.domain.view import ValueType

MICROS = 1_000_000
Encoder = Callable[[Any], bytes]
NULL = b""
"""What a null is stored as: a Value of which no field is set."""

_NULL_FIELD = b"\x98\x01"  # field 19, which some writers set for a null
_STRING, _INT32, _INT64, _DOUBLE, _FLOAT, _BOOL, _UNIX_TIMESTAMP = 0x12, 0x18, 0x20, 0x29, 0x35, 0x38, 0x40
_TWO_64 = 1 << 64
_double = struct.Struct("<Bd")
_float = struct.Struct("<Bf")


def varint(number: int) -> bytes:
    """A 64-bit number in base 128; a negative one in two's complement, as int32 and int64 fields have it."""
    if number < 0:
        number += _TWO_64
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def read_varint(raw: bytes, start: int) -> tuple[int, int]:
    """The signed number that starts there, and where the next byte is."""
    number = 0
    for position in range(start, min(len(raw), start + 10)):
        byte = raw[position]
        number |= (byte & 0x7F) << 7 * (position - start)
        if byte < 0x80:
            number %= _TWO_64
            return (number - _TWO_64 if number >= _TWO_64 >> 1 else number), position + 1
    raise ValueError("a number has no end")


def encoder(kind: ValueType) -> Encoder:
    """How a value of that type becomes a serialised Value. A TIMESTAMP comes in microseconds, goes as seconds."""
    return _ENCODERS[kind]


def _of_text(value: str) -> bytes:
    text = value.encode()
    return b"\x12" + varint(len(text)) + text


_ENCODERS: Mapping[ValueType, Encoder] = {
    ValueType.BOOL: lambda value: b"\x38\x01" if value else b"\x38\x00",
    ValueType.INT32: lambda value: b"\x18" + varint(value),
    ValueType.INT64: lambda value: b"\x20" + varint(value),
    ValueType.FLOAT: lambda value: _float.pack(_FLOAT, value),
    ValueType.DOUBLE: lambda value: _double.pack(_DOUBLE, value),
    ValueType.STRING: _of_text,
    ValueType.TIMESTAMP: lambda value: b"\x40" + varint(value // MICROS),
}


def decode(kind: ValueType, raw: bytes) -> Any:
    """The value, None for a null. Raises ValueError when the bytes are no value of that type."""
    if not raw:
        return None
    try:
        return _DECODERS[kind](raw)
    except ValueError:
        # Asked last: few writers spell a null so, and every value would pay for the question.
        if raw[:2] == _NULL_FIELD:
            return None
        raise


def _fixed(form: struct.Struct, tag: int) -> Callable[[bytes], float]:
    def read(raw: bytes) -> float:
        if len(raw) != form.size or raw[0] != tag:
            raise ValueError("it is no such number")
        number: float = form.unpack(raw)[1]
        return number

    return read


def _whole(tag: int, scale: int = 1) -> Callable[[bytes], int]:
    def read(raw: bytes) -> int:
        number, end = read_varint(raw, 1)
        if raw[0] != tag or end != len(raw):
            raise ValueError("it is no such number")
        return number * scale

    return read


def _text(raw: bytes) -> str:
    size, start = read_varint(raw, 1)
    if raw[0] != _STRING or start + size != len(raw):
        raise ValueError("it is no text")
    return raw[start:].decode()


_read_bool = _whole(_BOOL)
_DECODERS: Mapping[ValueType, Callable[[bytes], Any]] = {
    ValueType.BOOL: lambda raw: _read_bool(raw) != 0,
    ValueType.INT32: _whole(_INT32),
    ValueType.INT64: _whole(_INT64),
    ValueType.FLOAT: _fixed(_float, _FLOAT),
    ValueType.DOUBLE: _fixed(_double, _DOUBLE),
    ValueType.STRING: _text,
    ValueType.TIMESTAMP: _whole(_UNIX_TIMESTAMP, MICROS),
}


def timestamp(moment_us: int) -> bytes:
    """A serialised Timestamp of microseconds since 1970."""
    seconds, micros = divmod(moment_us, MICROS)
    whole = b"\x08" + varint(seconds) if seconds else b""
    return whole + b"\x10" + varint(micros * 1000) if micros else whole


def read_timestamp(raw: bytes) -> int:
    """Microseconds since 1970 of a serialised Timestamp, rounded down. Raises ValueError."""
    fields = {0x08: 0, 0x10: 0}
    position = 0
    while position < len(raw):
        tag = raw[position]
        if tag not in fields:
            raise ValueError("it is no Timestamp")
        fields[tag], position = read_varint(raw, position + 1)
    return fields[0x08] * MICROS + fields[0x10] // 1000
