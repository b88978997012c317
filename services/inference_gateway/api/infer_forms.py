"""Requests that differ in their numbers alone: what the first one said beside them is understood once for all.

Most callers send the same request with other numbers. On the wire a ``ModelInferRequest`` is its fields one after the
other, the raw tensors last; where the bytes before those are known, nothing of them has to be read again.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from services.inference_gateway.api.infer_settings import InferSettings
from services.inference_gateway.api.together import most_together
from services.inference_gateway.api.wire_bytes import DELIMITED, length
from services.inference_gateway.domain.batch import are_plain
from services.inference_gateway.domain.columns import Array, Column, ValueKind
from services.inference_gateway.domain.packed import head as packed_head
from services.inference_gateway.domain.signature import DTYPES, KINDS, DataType, Signature

_ID, _RAW = 0x1A, 0x3A  # tags of the caller's id and of a raw tensor
_RAW_FIELD = _RAW >> 3
_MOST_FORMS = 256
_MOST_BYTES = 4096  # of what stands before the tensors, a little more with an id
_MOST_TENSORS = 512  # whose names would not take less
_MOST_STARTS = 4  # of first tensors, in messages of one size
_OTHERS = {DataType.BYTES, DataType.BOOL}  # whose raw form is not as it lies in memory


class Split(NamedTuple):
    """A request's bytes: the ``head`` (all but the id and the raw tensors), the id, and the tensors."""

    head: bytes
    id: bytes
    raw: list[memoryview]


class Asked(NamedTuple):
    """What a request asks for: rows in ``columns``, and ``wanted`` outputs, each with how many classes (0: all)."""

    endpoint: str
    version: str
    id: str
    settings: InferSettings
    wanted: dict[str, int]
    columns: tuple[Column, ...]
    rows: int
    alike: object = None
    """What the columns share with those of other requests, see :class:`Batch`."""


class _Tensor(NamedTuple):
    name: str
    kind: ValueKind
    wire: np.dtype[Any]
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    size_bytes: int

    def column(self, data: memoryview) -> Column:
        array: Array = np.frombuffer(data, dtype=self.wire)
        return Column(self.name, self.kind, array.astype(self.dtype, copy=False).reshape(self.shape))

    def stacked(self, data: Array) -> Column:
        """The rows of several requests, of which ``data`` [requests, bytes] has the tensors."""
        array: Array = np.ascontiguousarray(data).view(self.wire).astype(self.dtype, copy=False)
        return Column(self.name, self.kind, array.reshape(len(data) * self.shape[0], *self.shape[1:]))


class _Place(NamedTuple):
    """Where a tensor is in a message without an id: its bytes from ``start``, ``mark`` right before them."""

    mark: bytes
    start: int
    end: int


class Form(NamedTuple):
    """What requests with one head have in common, as long as the endpoint has this ``signature``."""

    asked: Asked
    signature: Signature
    tensors: Sequence[_Tensor]
    places: Sequence[_Place]
    most: int
    """How many may be answered together."""

    def has(self, data: bytes) -> bool:
        """Whether a message of the right size, which begins as it should, is of this form."""
        return all(data.startswith(mark, start - len(mark)) for mark, start, _ in self.places[1:])

    def read_together(self, messages: Sequence[bytes]) -> Asked:
        """Requests of this form without ids, as one: the rows of one after those of another."""
        if len(messages) == 1:
            view = memoryview(messages[0])
            columns = [
                one.column(view[place.start : place.end]) for one, place in zip(self.tensors, self.places, strict=True)
            ]
        else:
            block = np.frombuffer(b"".join(messages), np.uint8).reshape(len(messages), -1)
            columns = [
                one.stacked(block[:, place.start : place.end])
                for one, place in zip(self.tensors, self.places, strict=True)
            ]
        rows = self.asked.rows * len(messages)
        return self.asked._replace(columns=tuple(columns), rows=rows, alike=self)

    def read(self, split: Split) -> Asked | None:
        """Another request of this form; None where something in it is not as it should be."""
        if [len(one) for one in split.raw] != [one.size_bytes for one in self.tensors]:
            return None
        try:
            name = str(split.id, "utf-8") if split.id else ""
        except UnicodeDecodeError:
            return None
        columns = tuple([one.column(data) for one, data in zip(self.tensors, split.raw, strict=True)])
        return self.asked._replace(id=name, columns=columns, alike=self)


class Forms:
    """The forms of the last requests, by their heads."""

    def __init__(self, rows_together: int) -> None:
        self._rows_together = rows_together
        self._known: dict[bytes, Form] = {}
        self._whole: dict[tuple[int, bytes], Form] = {}
        """By the size of a message without an id, and what stands before its first tensor."""
        self._starts: dict[int, set[int]] = {}
        """Where first tensors begin in messages of a size."""

    def find_whole(self, data: bytes) -> Form | None:
        """The form of a request without an id, all of which is as it should be; None for any other."""
        size = len(data)
        for start in self._starts.get(size, ()):
            form = self._whole.get((size, data[:start]))
            if form is not None:
                return form if form.has(data) else None
        return None

    def find(self, split: Split) -> Form | None:
        """The form of a request; None for one that was not seen yet."""
        return self._known.get(split.head)

    def learn(self, split: Split, asked: Asked, signature: Signature) -> None:
        """Keep the form of a request whose columns are what the signature takes, if they are sound and it has one."""
        if not are_plain(asked.columns, asked.rows):
            return  # which is refused, and has to be again
        kinds = [signature.columns[one.name].datatype for one in asked.columns]
        if len(split.head) > _MOST_BYTES or len(kinds) != len(split.raw) or not _OTHERS.isdisjoint(kinds):
            return
        if len(self._known) >= _MOST_FORMS:
            self._known.clear()
            self._whole.clear()
            self._starts.clear()
        tensors = [_tensor(column, kind) for column, kind in zip(asked.columns, kinds, strict=True)]
        places = _places(split.head, tensors)
        first, size = places[0], places[-1].end
        most = most_together(asked.rows, size, self._rows_together)
        form = Form(asked._replace(id="", columns=()), signature, tensors, places, most)
        self._known[split.head] = form
        starts = self._starts.setdefault(size, set())
        # Whoever sends a message of a size waits for all of them to be looked for.
        if all(one.size_bytes for one in tensors) and (first.start in starts or len(starts) < _MOST_STARTS):
            starts.add(first.start)
            self._whole[size, first.mark] = form


def _places(head: bytes, tensors: Sequence[_Tensor]) -> list[_Place]:
    places: list[_Place] = []
    at, before = 0, head
    for one in tensors:
        mark = before + packed_head(_RAW_FIELD, one.size_bytes)
        start = at + len(mark)
        places.append(_Place(mark, start, start + one.size_bytes))
        at, before = start + one.size_bytes, b""
    return places


def _tensor(column: Column, kind: DataType) -> _Tensor:
    dtype, shape = DTYPES[kind], column.values.shape
    return _Tensor(column.name, KINDS[kind], dtype.newbyteorder("<"), dtype, shape, math.prod(shape) * dtype.itemsize)


def split(data: bytes) -> Split | None:
    """A request's bytes in their parts; None where they are in another order, too many, or no request.

    However many bytes there are, it looks at no more than a form can have.
    """
    at, end, name = 0, len(data), b""
    cuts: list[int] = []
    try:
        while (tag := data[at]) != _RAW:
            begins = at
            size, at = length(data, at + 1)
            if tag & 7 != DELIMITED or tag > _RAW or at + size >= end or (tag == _ID and cuts):
                return None
            if tag == _ID:
                name = data[at : at + size]
                cuts = [begins, at + size]
            at += size
            if at - len(name) > _MOST_BYTES:
                return None
        head = data[: cuts[0]] + data[cuts[1] : at] if cuts else data[:at]
        view = memoryview(data)
        raw: list[memoryview] = []
        while at < end:
            size, start = length(data, at + 1)
            if data[at] != _RAW or start + size > end or len(raw) == _MOST_TENSORS:
                return None
            raw.append(view[start : start + size])
            at = start + size
    except IndexError:
        return None
    return Split(head, name, raw)
