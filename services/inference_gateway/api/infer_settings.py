"""The parameters of an inference request, of its tensors and its outputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from slipway.errors import invalid_field
from slipway.gen.inference import inference_pb2 as pb

Parameters = Mapping[str, pb.InferParameter]

_STATEFUL = ("sequence_id", "sequence_start", "sequence_end")
_FINAL = "triton_enable_empty_final_response"
_MAX_TIMEOUT_US = 2**53


class InferSettings(NamedTuple):
    """``priority``: 1 is the most urgent, 0 the default. ``timeout_s``: seconds from arrival; None: no limit."""

    priority: int = 0
    timeout_s: float | None = None


_DEFAULTS = InferSettings()


def decode_settings(parameters: Parameters) -> InferSettings:
    """What a request's parameters ask for; unknown ones are ignored. Raises InvalidInput naming the parameter."""
    if not parameters:
        return _DEFAULTS
    for name in _STATEFUL:
        if name in parameters and value_of(parameters[name]) not in {None, "", 0}:
            raise invalid_field(
                f"parameters[{name}]", "asks for a stateful sequence, and models keep no state here; leave it out"
            )
    timeout_us = _count(parameters, "timeout", "parameters", _MAX_TIMEOUT_US)
    return InferSettings(
        priority=_count(parameters, "priority", "parameters", 2**64),
        timeout_s=timeout_us / 1e6 if timeout_us else None,
    )


def wants_final_mark(parameters: Parameters) -> bool:
    """Whether the last answer to a request on a stream is to say that it is."""
    return _FINAL in parameters and value_of(parameters[_FINAL]) is True


def decode_classes(output: pb.ModelInferRequest.InferRequestedOutputTensor, field: str) -> int:
    """How many classes of an output are wanted; 0: the tensor itself. Raises InvalidInput."""
    refuse_shared(output.parameters, field)
    return _count(output.parameters, "classification", f"{field}.parameters", 2**31)


def refuse_shared_inputs(inputs: Iterable[pb.ModelInferRequest.InferInputTensor]) -> None:
    """Raise InvalidInput for an input whose values are not in the message."""
    for position, tensor in enumerate(inputs):
        if tensor.parameters:
            refuse_shared(tensor.parameters, f"inputs[{position}]")


def refuse_shared(parameters: Parameters, field: str) -> None:
    """Raise InvalidInput for a tensor that lies in shared memory."""
    if "shared_memory_region" in parameters:
        raise invalid_field(
            f"{field}.parameters[shared_memory_region]", "is not taken here; send the tensor in the message"
        )


def _count(parameters: Parameters, name: str, field: str, limit: int) -> int:
    if name not in parameters:
        return 0
    value = value_of(parameters[name])
    if type(value) is not int or not 0 <= value < limit:
        raise invalid_field(f"{field}[{name}]", f"is {value!r}; give a whole number from 0 on")
    return value


def value_of(parameter: pb.InferParameter) -> object:
    """What a parameter holds; None when it holds nothing."""
    kind = parameter.WhichOneof("parameter_choice")
    return getattr(parameter, kind) if kind else None
