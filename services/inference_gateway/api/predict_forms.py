"""Columns that differ in their numbers alone, as :mod:`infer_forms` has it, of requests of Slipway's own protocol.

On the wire a ``PredictRequest`` is its fields one after the other, mostly with the feature columns last: messages in
messages. Where all of these hold floats, whatever is not a float is the same bytes at the same places in the next
request of the same caller; where it is, nothing of the columns has to be read again but the floats.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from services.inference_gateway.api.wire_bytes import DELIMITED, length
from services.inference_gateway.domain.batch import are_plain
from services.inference_gateway.domain.block import Block
from services.inference_gateway.domain.columns import Column, ValueKind

_FEATURES = 0x2A  # tag of a feature column
_NAME, _WIDTH = 0x0A, 0x38  # tags in a column
_VALUES: dict[int, np.dtype[Any]] = {0x12: np.dtype("<f8"), 0x42: np.dtype("<f4")}  # tags of floats, and their types
_NUMBERS = 0x0A  # tag of the numbers, in these
_MOST_FIELDS = 64  # before the columns
_MOST_SIZES = 128
_MOST_ALIKE = 2  # forms whose columns take as many bytes
_MOST_SEEN = 4096
_MOST_TRIES = 8
_MOST_BYTES = 4096  # of a form, beside its numbers
_LARGEST = 1024 * 1024  # bytes of columns; of more, the numbers are the work
_KIND = ValueKind.DOUBLE  # of floats


class Split(NamedTuple):
    """A request's bytes: its feature ``columns``, and all that stands before them."""

    before: bytes
    columns: bytes


Numbers = tuple[bytes, ...]
"""The numbers of columns, as they lie on the wire."""


class _Slot(NamedTuple):
    """Where a column's numbers lie."""

    start: int
    end: int
    dtype: np.dtype[Any]


class Form:
    """What the columns of some requests have in common: all bytes but their floats."""

    def __init__(self, columns: bytes, slots: Sequence[_Slot], like: Sequence[Column]) -> None:
        """``like`` are the ``columns`` as they were read."""
        self._names = tuple([one.name for one in like])
        self._types = [(one.dtype, column.values.shape) for one, column in zip(slots, like, strict=True)]
        # By turns what is told beside the numbers, and a column's numbers.
        sizes, at = [], 0
        for start, end, _ in slots:
            sizes += [start - at, end - start]
            at = end
        self._cuts = struct.Struct("".join([f"{size}s" for size in (*sizes, len(columns) - at)]))
        self._told = self._cuts.unpack(columns)[::2]
        first, *others = self._types
        self._is_block = len(first[1]) == 1 and all(one == first for one in others)
        self.size = len(columns)
        """The bytes that they take."""

    @property
    def rows(self) -> int:
        """Of each column."""
        return int(self._types[0][1][0])

    def cut(self, columns: bytes) -> Numbers | None:
        """The numbers of other columns of as many bytes; None where they are not of this form."""
        cut = self._cuts.unpack(columns)
        return cut[1::2] if cut[::2] == self._told else None

    def read(self, numbers: Numbers) -> Sequence[Column]:
        """The columns of these."""
        if self._is_block:
            dtype, (rows,) = self._types[0]
            return Block(self._names, _KIND, np.frombuffer(b"".join(numbers), dtype).reshape(-1, rows))
        return tuple(
            [
                Column(name, _KIND, np.frombuffer(data, dtype).reshape(shape))
                for name, (dtype, shape), data in zip(self._names, self._types, numbers, strict=True)
            ]
        )

    def read_together(self, requests: Sequence[Numbers]) -> Sequence[Column]:
        """The columns of several requests, the rows of one after those of another."""
        if len(requests) == 1:
            return self.read(requests[0])
        if self._is_block:
            dtype, (rows,) = self._types[0]
            given = np.frombuffer(b"".join(chain.from_iterable(requests)), dtype)
            values = given.reshape(len(requests), -1, rows).transpose(1, 0, 2).reshape(len(self._names), -1)
            return Block(self._names, _KIND, values)
        return tuple(
            [
                Column(name, _KIND, np.frombuffer(b"".join(data), dtype).reshape(-1, *shape[1:]))
                for name, (dtype, shape), data in zip(
                    self._names, self._types, zip(*requests, strict=True), strict=True
                )
            ]
        )


class Forms:
    """The forms of the last requests, by the bytes that their columns take."""

    def __init__(self) -> None:
        self._known: dict[int, list[Form]] = {}
        self._tries: dict[int, int] = {}
        """How often columns of a size came that were of no form."""

    def find(self, columns: bytes) -> tuple[Form, Numbers] | None:
        """The form of columns, and their numbers; None for those of none."""
        for form in self._known.get(len(columns), ()):
            if (numbers := form.cut(columns)) is not None:
                return form, numbers
        return None

    def learn(self, columns: bytes, found: Sequence[Column]) -> None:
        """Keep the form of columns that were read as ``found``, if they have one and are not the first of a size.

        After some of a size that was in vain no others are tried: their callers would wait for it each time.
        """
        size = len(columns)
        if not found or size > _LARGEST:
            return
        if len(self._tries) >= _MOST_SEEN:
            self._tries.clear()
        tries = self._tries[size] = self._tries.get(size, 0) + 1
        if tries == 1 or tries > _MOST_TRIES or not _may_have_one(found):
            return
        slots = _slots(columns)
        if slots is None or len(slots) != len(found):
            return
        form = Form(columns, slots, found)
        numbers = form.cut(columns)
        if numbers is None or not _same(form.read(numbers), found):
            return
        if len(self._known) >= _MOST_SIZES:
            self._known.clear()
        alike = self._known.setdefault(size, [])
        alike[:] = [form, *alike[: _MOST_ALIKE - 1]]


def split(data: bytes) -> Split | None:
    """A request's bytes in two; None where no columns are there, or behind too much.

    What follows the first column is among them, whatever it is: no form has anything else.
    """
    at, end = 0, len(data)
    try:
        for _ in range(_MOST_FIELDS):
            tag = data[at]
            if tag == _FEATURES:
                return Split(data[:at], data[at:])
            if tag > _FEATURES or tag & 7 != DELIMITED:
                return None
            size, at = length(data, at + 1)
            at += size
            if at >= end:
                return None
    except IndexError:
        return None
    return None


def _may_have_one(found: Sequence[Column]) -> bool:
    rows = len(found[0].values)
    return rows > 0 and all([one.kind is _KIND for one in found]) and are_plain(found, rows)  # noqa: C419


def _slots(columns: bytes) -> list[_Slot] | None:
    """Where the floats of columns lie that hold nothing but a name, floats and their width, in this order."""
    slots: list[_Slot] = []
    at = numbers = 0
    try:
        while at < len(columns):
            tag, (size, at) = columns[at], length(columns, at + 1)
            slot, ends = _slot(columns, at)
            at += size
            if tag != _FEATURES or slot is None or not _is_width(columns[ends:at]):
                return None
            slots.append(slot)
            numbers += slot.end - slot.start
            if at - numbers > _MOST_BYTES:
                return None
    except IndexError:
        return None
    return slots if at == len(columns) else None


def _slot(columns: bytes, at: int) -> tuple[_Slot | None, int]:
    """The floats of the column that begins there, and where they end."""
    if columns[at] != _NAME:
        return None, at
    size, at = length(columns, at + 1)
    at += size
    if columns[at] == _WIDTH:  # it stands between doubles and floats
        _, at = length(columns, at + 1)
    dtype = _VALUES.get(columns[at])
    size, at = length(columns, at + 1)
    ends = at + size
    if dtype is None or columns[at] != _NUMBERS:
        return None, ends
    size, at = length(columns, at + 1)
    return (_Slot(at, ends, dtype) if at + size == ends else None), ends


def _is_width(data: bytes) -> bool:
    """Whether these bytes of a column are its width alone, or none."""
    return not data or (data[0] == _WIDTH and length(data, 1)[1] == len(data))


def _same(some: Sequence[Column], others: Sequence[Column]) -> bool:
    """Whether columns are the same to the last bit."""
    return all(
        one.kind is other.kind
        and one.values.dtype == other.values.dtype
        and one.values.shape == other.values.shape
        and one.values.tobytes() == other.values.tobytes()
        for one, other in zip(some, others, strict=True)
    )
