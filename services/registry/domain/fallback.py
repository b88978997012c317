"""What answers instead of an arm that can't."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from services.registry.domain.model import DataType, Signature, TensorSpec
from slipway.errors import FieldViolation
from slipway.naming import column_name, resource_name

MAX_OUTPUTS = 1_000
MAX_ELEMENTS = 1_024
MAX_TEXT = 1_024
# An endpoint travels whole, in every event and every step of the watch stream.
MAX_BYTES = 256 * 1024
_WHOLE = re.compile(r"(U?)INT(\d+)")


@dataclass(frozen=True, slots=True)
class FallbackVersion:
    """A version that answers instead: ``version`` of ``model``, or 0 for the one before the main arm's.

    ``resolved`` of ``resolved_model`` is what it stands for, 0 while there is none.
    """

    model: str = ""
    version: int = 0
    resolved_model: str = ""
    resolved: int = 0


@dataclass(frozen=True, slots=True)
class DefaultOutput:
    """One output's elements in a row: numbers, or texts."""

    name: str
    values: tuple[float, ...] = ()
    texts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DefaultAnswer:
    """One row's answer when an arm fails; and where it says so, when no version is loaded or features can't be read."""

    outputs: tuple[DefaultOutput, ...]
    when_not_ready: bool = False
    when_features_unavailable: bool = False

    @property
    def carried_bytes(self) -> int:
        """About how many bytes a message carries it in; never fewer."""
        return sum(150 + 8 * len(one.values) + sum(4 * len(text) + 6 for text in one.texts) for one in self.outputs)


Fallback = FallbackVersion | DefaultAnswer


def fallback_faults(field: str, fallback: Fallback) -> Iterator[FieldViolation]:
    """What is wrong with ``fallback``, which stands at ``field``, whatever the endpoint's versions are."""
    if isinstance(fallback, FallbackVersion):
        if fallback.model:
            resource_name(f"{field}.version.model", fallback.model)
        return
    if not 1 <= len(fallback.outputs) <= MAX_OUTPUTS:
        told = f"has {len(fallback.outputs)} entries; give one for each output, 1 to {MAX_OUTPUTS}"
        yield FieldViolation(f"{field}.default_answer.outputs", told)
    taken: set[str] = set()
    for position, output in enumerate(fallback.outputs[:MAX_OUTPUTS]):
        yield from _output_faults(f"{field}.default_answer.outputs[{position}]", output, taken)
        taken.add(output.name)
    if fallback.carried_bytes > MAX_BYTES:
        told = f"comes to {fallback.carried_bytes} bytes, at most {MAX_BYTES} are kept; give fewer outputs or elements"
        yield FieldViolation(f"{field}.default_answer.outputs", told)


def _output_faults(field: str, output: DefaultOutput, taken: set[str]) -> Iterator[FieldViolation]:
    column_name(f"{field}.name", output.name)
    if output.name in taken:
        yield FieldViolation(f"{field}.name", f"{output.name!r} stands twice; give each output once")
    if bool(output.values) == bool(output.texts):
        yield FieldViolation(field, "needs values, or texts where the tensor holds text; give one of them")
    if max(len(output.values), len(output.texts)) > MAX_ELEMENTS:
        yield FieldViolation(field, f"has more than {MAX_ELEMENTS} elements; give fewer")
    if not all(math.isfinite(value) for value in output.values):
        yield FieldViolation(f"{field}.values", "holds a number that is not finite; give finite ones")
    if any(len(text) > MAX_TEXT or "\0" in text for text in output.texts):
        yield FieldViolation(f"{field}.texts", f"holds a NUL, or more than {MAX_TEXT} characters in one; shorten it")


def unfit(default: DefaultAnswer, signature: Signature) -> str:
    """Why ``default`` is no answer of a version with ``signature``, and the mend; empty when it is one."""
    given = {output.name: output for output in default.outputs}
    if set(given) != {tensor.name for tensor in signature.outputs}:
        return f"names {', '.join(sorted(given))}; give {', '.join(sorted(one.name for one in signature.outputs))}"
    return next((why for tensor in signature.outputs if (why := _misfit(given[tensor.name], tensor))), "")


def _misfit(output: DefaultOutput, tensor: TensorSpec) -> str:
    width = math.prod(tensor.shape[1:])
    elements = output.texts if tensor.datatype is DataType.BYTES else output.values
    if len(elements) != width:
        kind = "texts" if tensor.datatype is DataType.BYTES else "values"
        return f"has {len(elements)} {kind} for {tensor.name!r}; give {width}"
    bounds = _bounds(tensor.datatype)
    if bounds and not all(one == int(one) and bounds[0] <= one <= bounds[1] for one in output.values):
        return f"has a number for {tensor.name!r} that is no {tensor.datatype}; give one that is"
    return ""


def _bounds(datatype: DataType) -> tuple[int, int] | None:
    """The least and the largest of a type of whole numbers or truth values."""
    if datatype is DataType.BOOL:
        return 0, 1
    if found := _WHOLE.fullmatch(datatype):
        bits = int(found[2])
        return (0, 2**bits - 1) if found[1] else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    return None
