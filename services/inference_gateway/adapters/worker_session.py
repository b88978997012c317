"""ONNX Runtime in a worker: a session as the profile says."""

from __future__ import annotations

import os
from typing import Any

from services.inference_gateway.adapters.worker_frames import LoadSettings


class Unusable(ValueError):
    """The model can't be served under its signature; the message says why."""


def open_session(settings: LoadSettings, model: bytes) -> Any:
    """A session of an ONNX file. Raises Unusable."""
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
        why = first_line(error)
        if "external data" in why.lower():
            raise Unusable("it keeps tensors in files beside it; save the model with all of its data inside") from error
        raise Unusable(f"ONNX Runtime can't load it: {why}") from error


def first_line(error: BaseException) -> str:
    """What is told of an error."""
    return (str(error).splitlines() or [type(error).__name__])[0][:500]
