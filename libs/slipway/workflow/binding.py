"""Where each parameter of a step comes from."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from slipway.workflow.annotation import fits, hints, type_name
from slipway.workflow.context import StepContext
from slipway.workflow.errors import BadWorkflow, NotStorable
from slipway.workflow.forms import Form
from slipway.workflow.schema import form_of
from slipway.workflow.step import Step

_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


@dataclass(frozen=True)
class Signature:
    """What a step takes and gives, and how its output is stored."""

    inputs: Mapping[str, Any]
    output: Any
    form: Form


@dataclass(frozen=True, slots=True)
class Source:
    """The context, the params, one of the params, or another step's output."""

    kind: Literal["context", "params", "param", "step"]
    name: str = ""

    def take(self, outputs: Mapping[str, object], params: object, context: StepContext) -> object:
        """The value to pass."""
        if self.kind == "context":
            return context
        if self.kind == "params":
            return params
        if self.kind == "param":
            value: object = getattr(params, self.name)
            return value
        return outputs[self.name]


def signature_of(workflow: str, step: Step[..., Any]) -> Signature:
    """Read a step's annotations. Raises BadWorkflow about one that is missing or can't be stored."""
    place = f"step {step.name!r}"
    kinds = hints(workflow, place, step.function)
    inputs: dict[str, Any] = {}
    for name, parameter in inspect.signature(step.function).parameters.items():
        if parameter.kind not in _NAMED:
            raise BadWorkflow(workflow, f"{place}, parameter {name!r}", "can't be bound by name; name every input")
        if name not in kinds:
            raise BadWorkflow(workflow, f"{place}, parameter {name!r}", "has no annotation; give its type")
        inputs[name] = kinds[name]
    if "return" not in kinds:
        raise BadWorkflow(workflow, place, "does not say what it returns; annotate it")
    try:
        return Signature(inputs, kinds["return"], form_of(kinds["return"], "its output"))
    except NotStorable as error:
        raise BadWorkflow(workflow, f"{place}, {error.path}", error.description) from error


@dataclass(frozen=True, slots=True)
class Channels:
    """What a workflow's steps may take: outputs as (step, type) by name, params by name, the params' class."""

    outputs: Mapping[str, tuple[str, Any]]
    fields: Mapping[str, Any]
    params: type


def bind(workflow: str, step: Step[..., Any], signature: Signature, channels: Channels) -> dict[str, Source]:
    """Find each parameter's source. Raises BadWorkflow about one that has none, or has one of another type."""
    outputs, fields = channels.outputs, channels.fields
    sources: dict[str, Source] = {}
    for name, wanted in signature.inputs.items():
        place = f"step {step.name!r}, parameter {name!r}"
        if wanted is StepContext:
            sources[name] = Source("context")
        elif wanted is channels.params:
            sources[name] = Source("params")
        elif name in outputs:
            giver, given = outputs[name]
            _require_fit(workflow, place, wanted, given, f"step {giver!r} gives")
            sources[name] = Source("step", giver)
        elif name in fields:
            _require_fit(workflow, place, wanted, fields[name], "the params hold")
            sources[name] = Source("param", name)
        else:
            known = ", ".join([*outputs, *fields])
            raise BadWorkflow(workflow, place, f"is bound to nothing; steps and params give {known}")
    return sources


def _require_fit(workflow: str, place: str, wanted: Any, given: Any, giver: str) -> None:
    if not fits(given, wanted):
        text = f"wants {type_name(wanted)}, but {giver} {type_name(given)}; make them the same type"
        raise BadWorkflow(workflow, place, text)
