"""A worker process: one ONNX model, one socket, one batch at a time.

Forked by :mod:`services.inference_gateway.adapters.worker_fork_server`, in a folder without files, and handed the
process id of its parent and the descriptors of its socket, its model and its slots. It ends when the socket closes or
its parent dies, and imports nothing of the gateway but the values it speaks in.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import resource
import signal
import socket
import time
from typing import Any

from services.inference_gateway.adapters.worker_frames import LARGEST_PACKET, Kind, LoadSettings, Packet, unpack_load
from services.inference_gateway.adapters.worker_memory import Slot
from services.inference_gateway.adapters.worker_session import Session, Unusable, first_line
from services.inference_gateway.adapters.worker_tensors import inputs_of, outputs_of
from services.inference_gateway.domain.outputs import shaped
from services.inference_gateway.domain.signature import ColumnSpec, DataType, Signature, Tensors

_PR_SET_PDEATHSIG, _PR_SET_NAME = 1, 15
_ONNX_TYPES = {
    "tensor(bool)": DataType.BOOL,
    "tensor(int32)": DataType.INT32,
    "tensor(int64)": DataType.INT64,
    "tensor(float)": DataType.FP32,
    "tensor(double)": DataType.FP64,
    "tensor(string)": DataType.BYTES,
    "tensor(int8)": DataType.INT8,
    "tensor(int16)": DataType.INT16,
    "tensor(uint8)": DataType.UINT8,
    "tensor(uint16)": DataType.UINT16,
    "tensor(uint32)": DataType.UINT32,
    "tensor(uint64)": DataType.UINT64,
    "tensor(float16)": DataType.FP16,
}
_BF16 = "tensor(bfloat16)"


class Model:
    """An ONNX Runtime session that takes feature columns."""

    def __init__(self, settings: LoadSettings, model: bytes) -> None:
        self._signature = settings.signature
        self._session = Session(settings, model)
        self.provider = self._session.provider
        self._takes = [(one.name, len(one.shape)) for one in self._session.inputs]
        self._outputs = [spec.name for spec in settings.signature.outputs]
        self._check_outputs()
        self._matrix = self._layout(settings.signature)
        self._columns_lie = inputs_of(settings.signature)
        self._answers_lie = outputs_of(settings.signature)

    def answer(self, slot: Slot, used: int, rows: int) -> tuple[int, int]:
        """Answer the batch that lies in a slot, in its place; the bytes that it takes, and the model's nanoseconds."""
        batch = memoryview(slot.memory)[:used]
        if self._matrix:
            feeds = {self._takes[0][0]: self._columns_lie.matrix(batch, rows)}
        else:
            feeds = self._separate(self._columns_lie.read(batch, rows))
        began = time.perf_counter_ns()
        values = self._session.run(self._outputs, feeds)
        ran_ns = time.perf_counter_ns() - began
        outputs = dict(zip(self._outputs, values, strict=True))
        return self._answers_lie.write(shaped(self._signature, outputs, rows), rows, slot), ran_ns

    def _check_outputs(self) -> None:
        given = {one.name: one.type for one in self._session.outputs}
        for spec in self._signature.outputs:
            found = given.get(spec.name)
            if found is None:
                raise Unusable(f"the model has no output {spec.name!r}; it has {', '.join(given)}")
            if not found.startswith("tensor("):
                raise Unusable(f"output {spec.name!r} is a {found}, not a tensor; export the model without ZipMap")
            if _ONNX_TYPES.get(found) is not spec.datatype:
                told = f"output {spec.name!r} is {spec.datatype} in the signature but {found} in the model"
                raise Unusable(told + _why_not(found))

    def _layout(self, signature: Signature) -> bool:
        """Whether the model takes one matrix of all columns; else it takes an input a column."""
        inputs = {one.name: one for one in self._session.inputs}
        names = [spec.name for spec in signature.inputs]
        if set(inputs) == set(names):
            for spec in signature.inputs:
                self._require_type(spec.name, inputs[spec.name].type, spec.datatype)
                _require_shape(spec, _dynamic(spec.name, inputs[spec.name].shape))
            return False
        if vectors := [spec.name for spec in signature.inputs if spec.shape]:
            raise Unusable(
                f"the model takes {', '.join(inputs)}; the signature has {', '.join(names)}: column {vectors[0]!r} has "
                "a shape, so give the model one input a column, by the columns' names"
            )
        if len(inputs) == 1:
            (only,) = inputs.values()
            if _dynamic(only.name, only.shape) in ([len(names)], [-1]):
                for spec in signature.inputs:
                    self._require_type(spec.name, only.type, spec.datatype)
                return True
        raise Unusable(
            f"the model takes {', '.join(inputs)}; the signature has {', '.join(names)}: give the model one input a "
            f"column, or a single input of shape [-1, {len(names)}]"
        )

    def _require_type(self, name: str, onnx_type: str, kind: DataType) -> None:
        if _ONNX_TYPES.get(onnx_type) is not kind:
            told = f"column {name!r} is {kind} in the signature but {onnx_type} in the model"
            raise Unusable(told + _why_not(onnx_type))

    def _separate(self, columns: Tensors) -> dict[str, Any]:
        feeds = {}
        for name, dimensions in self._takes:
            column = columns[name]
            feeds[name] = column.reshape(-1, 1) if column.ndim == 1 and dimensions == 2 else column
        return feeds


def _why_not(onnx_type: str) -> str:
    if onnx_type != _BF16:
        return ""
    return "; it can't be served, for numpy has no such type: let the model cast from and to FP32"


def _require_shape(spec: ColumnSpec, found: list[int]) -> None:
    """Raise Unusable unless an input takes a column; ``found`` are the sizes after the batch's, -1 for any."""
    if not spec.shape and found not in ([], [1], [-1]):
        raise Unusable(f"input {spec.name!r} has shape {[-1, *found]}; a column is [-1] or [-1, 1]")
    fits = len(found) == len(spec.shape) and all(size in {-1, one} for size, one in zip(found, spec.shape, strict=True))
    if spec.shape and not fits:
        raise Unusable(
            f"input {spec.name!r} has shape {[-1, *found]} in the model but {[-1, *spec.shape]} in the signature"
        )


def _dynamic(name: str, shape: list[int | str | None]) -> list[int]:
    """The sizes that follow the batch's, -1 for any. Raises Unusable unless the batch may have any size."""
    # A dynamic size is None or a symbol's name.
    sizes = [one if isinstance(one, int) else -1 for one in shape]
    if not sizes or sizes[0] >= 0:
        raise Unusable(f"input {name!r} has the fixed shape {sizes}; export it with a dynamic batch, [-1, …]")
    return sizes[1:]


def _confine(settings: LoadSettings) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if settings.memory_limit_bytes:
        resource.setrlimit(resource.RLIMIT_DATA, (settings.memory_limit_bytes, settings.memory_limit_bytes))


def _answer(model: Model, packet: Packet, slot: Slot) -> Packet:
    slot.follow(packet.size)
    try:
        used, ran_ns = model.answer(slot, packet.used, packet.rows)
    except Exception as error:
        # Whatever a model raises is told, and costs its batch alone.
        return Packet(Kind.FAILED, packet.slot, text=first_line(error))
    return Packet(Kind.RESULT, packet.slot, packet.rows, used, slot.size, ran_ns)


def _load(given: int) -> Model:
    with mmap.mmap(given, 0, access=mmap.ACCESS_READ) as data:
        settings, model = unpack_load(data)
    os.close(given)
    _confine(settings)
    return Model(settings, model)


def serve(connection: socket.socket, given: int, slots: list[Slot]) -> None:
    """Load the model that was ``given``, say so, and answer packets until the socket closes."""
    try:
        model = _load(given)
    except Exception as error:
        connection.send(Packet(Kind.FAILED, text=first_line(error)).pack())
        return
    connection.send(Packet(Kind.READY, text=model.provider).pack())
    while data := connection.recv(LARGEST_PACKET):
        packet = Packet.unpack(data)
        connection.send(_answer(model, packet, slots[packet.slot]).pack())


def ends_with(parent: int) -> bool:
    """Let this process be killed when its parent dies; whether that lives."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    return os.getppid() == parent  # else it died before the line above could tell


def work(parent: int, descriptor: int, given: int, *slots: int) -> None:
    """Be a worker of ``parent``: the descriptors are of the socket, the model and the slots."""
    ctypes.CDLL(None).prctl(_PR_SET_NAME, b"slipway-worker")
    if ends_with(parent):
        with socket.socket(fileno=descriptor) as connection:
            serve(connection, given, [Slot(one) for one in slots])
