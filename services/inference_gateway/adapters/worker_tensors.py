"""Where the tensors of a batch lie in a slot: both sides reckon it from the signature and the number of rows.

Numbers come first, the tensors of one data type without a gap between them, so that one call copies them all; each
data type begins at a multiple of 64 bytes. Texts follow, a tensor at a time: its length in bytes and its raw form.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from services.inference_gateway.adapters.worker_memory import Slot
from services.inference_gateway.domain.columns import Array
from services.inference_gateway.domain.signature import DTYPES, DataType, Signature, Tensors
from services.inference_gateway.domain.tensors import BadRaw, pack_raw, unpack_raw

_ALIGNMENT = 64
_LENGTH = struct.Struct("<Q")
Buffer = bytes | memoryview


class Part(NamedTuple):
    """A tensor of a batch; ``shape`` is that of one row."""

    name: str
    datatype: DataType
    shape: tuple[int, ...]


class _Block:
    """The tensors of one data type of numbers, one after the other."""

    def __init__(self, dtype: np.dtype[Any], parts: Sequence[Part]) -> None:
        self.dtype = dtype
        self.names = [part.name for part in parts]
        self.width = sum(math.prod(part.shape) for part in parts)
        self._row_bytes = self.width * dtype.itemsize
        self._places = [(part.name, part.shape, math.prod(part.shape)) for part in parts]
        self._alike = all(not part.shape for part in parts)
        self._is_bool = dtype == np.bool_

    def end(self, at: int, rows: int) -> int:
        """Where what follows begins, if it begins ``at`` that byte."""
        return -(-(at + rows * self._row_bytes) // _ALIGNMENT) * _ALIGNMENT

    def fill(self, numbers: Array, tensors: Tensors) -> None:
        """Put its tensors one after the other."""
        if len(self.names) == 1:
            np.copyto(numbers, tensors[self.names[0]].reshape(-1), casting="no")
        else:
            np.concatenate([tensors[name] for name in self.names], axis=None, out=numbers, casting="no")

    def cut(self, numbers: Array, rows: int) -> Iterable[tuple[str, Array]]:
        """Its tensors, by name."""
        if self._is_bool:
            # An array of bool that holds a 2 is neither true nor false.
            numbers = np.not_equal(numbers.view(np.uint8), 0)
        if self._alike:
            return zip(self.names, numbers.reshape(len(self.names), rows), strict=True)
        return self._cut(numbers, rows)

    def _cut(self, numbers: Array, rows: int) -> Iterator[tuple[str, Array]]:
        at = 0
        for name, shape, wide in self._places:
            end = at + rows * wide
            yield name, numbers[at:end].reshape(rows, *shape)
            at = end


class Layout:
    """The places of some tensors, for any number of rows."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._texts = [part for part in parts if part.datatype is DataType.BYTES]
        self._blocks = [
            _Block(DTYPES[kind], [part for part in parts if part.datatype is kind])
            for kind in dict.fromkeys(part.datatype for part in parts)
            if kind is not DataType.BYTES
        ]

    def write(self, tensors: Tensors, rows: int, slot: Slot) -> int:
        """Put a batch into a slot, which grows when it must; the bytes that it takes. Raises OSError without memory.

        The tensors are as the signature says.
        """
        raws = [pack_raw(part.datatype, tensors[part.name]) for part in self._texts]
        used = self._number_bytes(rows) + sum([_LENGTH.size + len(raw) for raw in raws])
        slot.need(used)
        at = 0
        for block in self._blocks:
            block.fill(np.frombuffer(slot.memory, block.dtype, rows * block.width, at), tensors)
            at = block.end(at, rows)
        for raw in raws:
            _LENGTH.pack_into(slot.memory, at, len(raw))
            at += _LENGTH.size + len(raw)
            slot.memory[at - len(raw) : at] = raw
        return used

    def read(self, data: Buffer, rows: int) -> Tensors:
        """The batch that lies in ``data``, [rows, …] each, without copying numbers. Raises BadRaw unless it fits."""
        if len(data) < self._number_bytes(rows):
            raise BadRaw(f"has {len(data)} bytes, too few for {rows} rows")
        tensors: Tensors = {}
        at = 0
        for block in self._blocks:
            tensors.update(block.cut(np.frombuffer(data, block.dtype, rows * block.width, at), rows))
            at = block.end(at, rows)
        for part in self._texts:
            if at + _LENGTH.size > len(data):
                raise BadRaw(f"ends at byte {len(data)}, before its tensor {part.name!r}")
            (length,) = _LENGTH.unpack_from(data, at)
            at += _LENGTH.size + length
            tensors[part.name] = unpack_raw(DataType.BYTES, (rows, *part.shape), data[at - length : at])
        if at != len(data):
            raise BadRaw(f"ends at byte {len(data)} where its tensors end at {at}")
        return tensors

    def matrix(self, data: Buffer, rows: int) -> Array:
        """The batch that lies in ``data``, of scalars of one type alone, as [rows, columns]. Raises BadRaw."""
        if self._texts:
            return np.stack(list(self.read(data, rows).values()), axis=1)
        [block] = self._blocks
        if len(data) != block.end(0, rows):
            raise BadRaw(f"has {len(data)} bytes, not {rows} rows of {block.width} numbers")
        numbers = np.frombuffer(data, block.dtype, rows * block.width)
        if block.dtype == np.bool_:
            numbers = np.not_equal(numbers.view(np.uint8), 0)
        return np.ascontiguousarray(numbers.reshape(block.width, rows).T)

    def _number_bytes(self, rows: int) -> int:
        at = 0
        for block in self._blocks:
            at = block.end(at, rows)
        return at


def inputs_of(signature: Signature) -> Layout:
    """The columns that a version takes."""
    return Layout([Part(spec.name, spec.datatype, spec.shape) for spec in signature.inputs])


def outputs_of(signature: Signature) -> Layout:
    """What it answers."""
    return Layout([Part(spec.name, spec.datatype, spec.shape[1:]) for spec in signature.outputs])
