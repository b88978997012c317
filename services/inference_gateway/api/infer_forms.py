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
from services.inference_gateway.api.wire_bytes import DELIMITED, length
from services.inference_gateway.domain.batch import are_plain
from services.inference_gateway.domain.columns import Array, Column, ValueKind
from services.inference_gateway.domain.signature import DTYPES, KINDS, DataType, Signature

_ID, _RAW = 0x1A, 0x3A  # tags of the caller's id and of a raw tensor
_MOST_FORMS = 256
_MOST_BYTES = 4096  # of what stands before the tensors, a little more with an id
_MOST_TENSORS = 512  # whose names would not take less
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


class Form(NamedTuple):
    """What requests with one head have in common, as long as the endpoint has this ``signature``."""

    asked: Asked
    signature: Signature
    tensors: Sequence[_Tensor]

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

    def __init__(self) -> None:
        self._known: dict[bytes, Form] = {}

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
        tensors = [_tensor(column, kind) for column, kind in zip(asked.columns, kinds, strict=True)]
        self._known[split.head] = Form(asked._replace(id="", columns=()), signature, tensors)


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
