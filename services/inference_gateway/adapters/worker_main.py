"""A worker process: one ONNX model, one socket, one batch at a time.

Started by :mod:`services.inference_gateway.adapters.worker_process`, in a folder without files, with the socket's
descriptor and the process id of its parent as arguments. It ends when the socket closes or its parent dies, and
imports nothing of the gateway but the values it speaks in.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import socket
import sys
from typing import Any

import numpy as np

from services.inference_gateway.adapters.worker_frames import HEAD, Kind, LoadSettings, frame, unpack_load
from services.inference_gateway.domain.signature import DTYPES, ColumnSpec, DataType, Signature, Tensors
from services.inference_gateway.domain.tensors import pack, unpack

_PR_SET_PDEATHSIG = 1
_ONNX_TYPES = {
    "tensor(bool)": DataType.BOOL,
    "tensor(int32)": DataType.INT32,
    "tensor(int64)": DataType.INT64,
    "tensor(float)": DataType.FP32,
    "tensor(double)": DataType.FP64,
    "tensor(string)": DataType.BYTES,
}


class Unusable(ValueError):
    """The model can't be served under its signature; the message says why."""


class Model:
    """An ONNX Runtime session that takes feature columns."""

    def __init__(self, settings: LoadSettings, model: bytes) -> None:
        self._signature = settings.signature
        self._session = _session(settings, model)
        self.provider: str = self._session.get_providers()[0]
        self._outputs = [spec.name for spec in settings.signature.outputs]
        self._check_outputs()
        self._matrix = self._layout(settings.signature)

    def run(self, columns: Tensors) -> Tensors:
        """The outputs of a batch whose columns have shape [rows, …shape of the column]."""
        feeds = self._stacked(columns) if self._matrix else self._separate(columns)
        values = self._session.run(self._outputs, feeds)
        return dict(zip(self._outputs, values, strict=True))

    def _check_outputs(self) -> None:
        given = {one.name: one.type for one in self._session.get_outputs()}
        for spec in self._signature.outputs:
            found = given.get(spec.name)
            if found is None:
                raise Unusable(f"the model has no output {spec.name!r}; it has {', '.join(given)}")
            if not found.startswith("tensor("):
                raise Unusable(f"output {spec.name!r} is a {found}, not a tensor; export the model without ZipMap")
            if _ONNX_TYPES.get(found) is not spec.datatype:
                raise Unusable(f"output {spec.name!r} is {spec.datatype} in the signature but {found} in the model")

    def _layout(self, signature: Signature) -> bool:
        """Whether the model takes one matrix of all columns; else it takes an input a column."""
        inputs = {one.name: one for one in self._session.get_inputs()}
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
            raise Unusable(f"column {name!r} is {kind} in the signature but {onnx_type} in the model")

    def _separate(self, columns: Tensors) -> dict[str, Any]:
        feeds = {}
        for one in self._session.get_inputs():
            column = columns[one.name]
            feeds[one.name] = column.reshape(-1, 1) if column.ndim == 1 and len(one.shape) == 2 else column
        return feeds

    def _stacked(self, columns: Tensors) -> dict[str, Any]:
        (only,) = self._session.get_inputs()
        names = [spec.name for spec in self._signature.inputs]
        dtype = DTYPES[self._signature.inputs[0].datatype]
        return {only.name: np.stack([columns[name] for name in names], axis=1).astype(dtype, copy=False)}


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


def _session(settings: LoadSettings, model: bytes) -> Any:
    # Builds of ONNX Runtime may report home and keep a file for it; models and their use are nobody else's.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime as ort  # noqa: PLC0415  (after the limits are set)

    ort.set_default_logger_severity(4)
    options = ort.SessionOptions()
    options.intra_op_num_threads = settings.intra_op_threads
    options.inter_op_num_threads = 1
    # A worker that spins between batches takes the core that the front needs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # From bytes, so that what was verified is what is loaded and no external file can be named.
    providers: list[Any] = ["CPUExecutionProvider"]
    if settings.gpu is not None and "CUDAExecutionProvider" in ort.get_available_providers():
        providers = [("CUDAExecutionProvider", {"device_id": settings.gpu}), "CPUExecutionProvider"]
    try:
        return ort.InferenceSession(model, options, providers=providers)
    except Exception as error:
        why = _first_line(error)
        if "external data" in why.lower():
            raise Unusable("it keeps tensors in files beside it; save the model with all of its data inside") from error
        raise Unusable(f"ONNX Runtime can't load it: {why}") from error


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:500]


def _confine(settings: LoadSettings) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if settings.memory_limit_bytes:
        resource.setrlimit(resource.RLIMIT_DATA, (settings.memory_limit_bytes, settings.memory_limit_bytes))


def _receive(connection: socket.socket, count: int) -> bytes:
    data = bytearray(count)
    view, at = memoryview(data), 0
    while at < count:
        got = connection.recv_into(view[at:])
        if not got:
            raise EOFError
        at += got
    return bytes(data)


def _answer(kind: int, body: bytes, model: Model | None) -> tuple[Model | None, Kind, bytes]:
    if kind == Kind.LOAD:
        settings, artifact = unpack_load(body)
        _confine(settings)
        model = Model(settings, artifact)
        return model, Kind.READY, model.provider.encode()
    if model is None:
        raise Unusable("nothing is loaded")
    return model, Kind.RESULT, pack(model.run(unpack(body)))


def serve(connection: socket.socket) -> None:
    """Answer frames until the socket closes."""
    model: Model | None = None
    while True:
        try:
            length, request, kind = HEAD.unpack(_receive(connection, HEAD.size))
            body = _receive(connection, length)
        except EOFError:
            return
        try:
            model, answer, data = _answer(kind, body, model)
        except Exception as error:
            # Whatever a model raises is told, and costs its batch alone.
            answer, data = Kind.FAILED, _first_line(error).encode()
        connection.sendall(frame(answer, request, data))


def main() -> None:
    """Take the socket and the parent's process id from the command line and serve."""
    descriptor, parent = (int(one) for one in sys.argv[1:])
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        return  # it died before the line above could tell
    # Ctrl-C reaches the whole process group; the gateway decides when its workers end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with socket.socket(fileno=descriptor) as connection:
        serve(connection)


if __name__ == "__main__":
    main()
