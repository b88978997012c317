"""ONNX Runtime in a worker: a session as its profile says."""

from __future__ import annotations

import os
from typing import Any

from services.inference_gateway.adapters.worker_frames import LoadSettings
from services.inference_gateway.adapters.worker_profile import Profile
from services.inference_gateway.domain.columns import Array

_EXTEND = {"next_power_of_two": "kNextPowerOfTwo", "same_as_requested": "kSameAsRequested"}
_LEVELS = {
    "all": "ORT_ENABLE_ALL",
    "extended": "ORT_ENABLE_EXTENDED",
    "basic": "ORT_ENABLE_BASIC",
    "disabled": "ORT_DISABLE_ALL",
}


class Unusable(ValueError):
    """The model can't be served under its signature; the message says why."""


class Session:
    """A loaded ONNX file."""

    def __init__(self, settings: LoadSettings, model: bytes) -> None:
        """Raises Unusable."""
        self._session = _open(settings, model)
        self.provider: str = self._session.get_providers()[0]
        self.inputs: list[Any] = self._session.get_inputs()
        self.outputs: list[Any] = self._session.get_outputs()
        # ONNX Runtime binds numbers alone.
        numbers = all("string" not in one.type for one in (*self.inputs, *self.outputs))
        self._binds = numbers and settings.profile.binds(settings.gpu)

    def run(self, outputs: list[str], feeds: dict[str, Array]) -> list[Array]:
        """The named outputs."""
        if not self._binds:
            return list(self._session.run(outputs, feeds))
        binding = self._session.io_binding()
        for name, array in feeds.items():
            binding.bind_cpu_input(name, array)
        for name in outputs:
            binding.bind_output(name)
        self._session.run_with_iobinding(binding)
        return list(binding.copy_outputs_to_cpu())


def _open(settings: LoadSettings, model: bytes) -> Any:
    # Builds of ONNX Runtime may report home and keep a file for it; models and their use are nobody else's.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime as ort  # noqa: PLC0415  (after the limits are set)

    ort.set_default_logger_severity(4)
    # From bytes, so that what was verified is what is loaded and no external file can be named.
    try:
        return ort.InferenceSession(model, _options(ort, settings.profile), providers=_providers(ort, settings))
    except Exception as error:
        why = first_line(error)
        if "external data" in why.lower():
            raise Unusable("it keeps tensors in files beside it; save the model with all of its data inside") from error
        raise Unusable(f"ONNX Runtime can't load it: {why}") from error


def _options(ort: Any, profile: Profile) -> Any:
    options = ort.SessionOptions()
    options.intra_op_num_threads = profile.intra_op_threads
    options.inter_op_num_threads = profile.inter_op_threads
    if profile.inter_op_threads != 1:
        options.execution_mode = ort.ExecutionMode.ORT_PARALLEL
    level = _LEVELS[profile.graph_optimization]
    options.graph_optimization_level = getattr(ort.GraphOptimizationLevel, level)
    options.enable_cpu_mem_arena = profile.arena
    options.enable_mem_pattern = profile.memory_pattern
    # A worker that spins between batches takes the core that the front needs.
    for pool in ("intra", "inter"):
        options.add_session_config_entry(f"session.{pool}_op.allow_spinning", str(int(profile.spinning)))
    return options


def _providers(ort: Any, settings: LoadSettings) -> list[Any]:
    if settings.gpu is None or "CUDAExecutionProvider" not in ort.get_available_providers():
        return ["CPUExecutionProvider"]
    cuda = {"device_id": settings.gpu, "arena_extend_strategy": _EXTEND[settings.profile.arena_extend]}
    if settings.profile.cuda_memory_limit_bytes:
        cuda["gpu_mem_limit"] = settings.profile.cuda_memory_limit_bytes
    return [("CUDAExecutionProvider", cuda), "CPUExecutionProvider"]


def first_line(error: BaseException) -> str:
    """What is told of an error."""
    return (str(error).splitlines() or [type(error).__name__])[0][:500]
