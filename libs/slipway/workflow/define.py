"""A workflow: steps bound to one another by name and type, checked where it is written."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from slipway.errors import InvalidInput
from slipway.naming import identifier, resource_name
from slipway.workflow import container
from slipway.workflow.annotation import type_name
from slipway.workflow.binding import Channels, Signature, Source, bind, signature_of
from slipway.workflow.context import StepContext
from slipway.workflow.errors import BadWorkflow
from slipway.workflow.order import in_order
from slipway.workflow.params import NoParams, Parameter, ParamsForm
from slipway.workflow.source import code_digest
from slipway.workflow.step import Step

MAX_STEPS = 64


@dataclass(frozen=True)
class BoundStep:
    """A step in its workflow: where each of its parameters comes from."""

    step: Step[..., Any]
    signature: Signature
    sources: Mapping[str, Source]

    @property
    def name(self) -> str:
        """Unique within the workflow."""
        return self.step.name

    @property
    def needs(self) -> tuple[str, ...]:
        """The steps whose outputs it takes."""
        taken = (source.name for source in self.sources.values() if source.kind == "step")
        return tuple(dict.fromkeys(taken))

    @property
    def output_type(self) -> str:
        """The annotation of what it gives."""
        return type_name(self.signature.output)

    def run(self, outputs: Mapping[str, object], params: object, context: StepContext) -> object:
        """Call the function with the outputs of the steps in ``needs``, by their names."""
        arguments = {name: source.take(outputs, params, context) for name, source in self.sources.items()}
        return self.step.function(**arguments)

    def encode(self, output: object) -> bytes:
        """The output as one artifact's bytes. Raises NotStorable naming the part that can't be kept."""
        blobs: list[bytes] = []
        value = self.signature.form.write(f"output of {self.name}", output, blobs)
        return container.pack(value, blobs)

    def decode(self, data: bytes) -> object:
        """The output back. Raises BadContainer, NotStorable when the type has changed since."""
        value, blobs = container.unpack(data)
        result: object = self.signature.form.read(f"output of {self.name}", value, blobs)
        return result


@dataclass(frozen=True)
class Workflow:
    """A checked graph; ``steps`` stand in an order in which they may run."""

    name: str
    description: str
    steps: tuple[BoundStep, ...]
    params: ParamsForm

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What a run may be given."""
        return self.params.parameters

    @cached_property
    def code_digest(self) -> str:
        """``sha256:`` and the digest of the source files of its steps' modules."""
        return code_digest([one.step.function for one in self.steps])

    def step(self, name: str) -> BoundStep:
        """One step. Raises KeyError."""
        return {one.name: one for one in self.steps}[name]


def workflow(name: str, steps: Sequence[Step[..., Any]], params: type = NoParams, *, description: str = "") -> Workflow:
    """Bind steps to one workflow; ``params`` is a dataclass of JSON values.

    ``description`` is the first step's module's docstring when it is not given. Raises BadWorkflow naming the step
    and the parameter that is not bound, of another type, in a cycle, or not storable.
    """
    _check_names(name, steps)
    form = ParamsForm(name, params)
    signatures = {one.name: signature_of(name, one) for one in steps}
    outputs = {one.output: (one.name, signatures[one.name].output) for one in steps}
    fields = {one.name: one.annotation for one in form.parameters}
    for channel in sorted(set(outputs) & set(fields)):
        text = f"is both the output of step {outputs[channel][0]!r} and a parameter; rename one"
        raise BadWorkflow(name, f"params.{channel}", text)
    channels = Channels(outputs, fields, params)
    bound = [BoundStep(one, signatures[one.name], bind(name, one, signatures[one.name], channels)) for one in steps]
    first = sys.modules.get(steps[0].function.__module__)
    told = description or inspect.cleandoc(getattr(first, "__doc__", None) or "")
    return Workflow(name, told, tuple(in_order(name, bound)), form)


def _check_names(name: str, steps: Sequence[Step[..., Any]]) -> None:
    if not 1 <= len(steps) <= MAX_STEPS:
        raise BadWorkflow(name, "steps", f"there are {len(steps)}; give 1 to {MAX_STEPS}")
    for one in steps:
        if not isinstance(one, Step):
            raise BadWorkflow(name, "steps", f"{one!r:.80} is not a step; decorate the function with @step")
    try:
        resource_name("name", name)
        for one in steps:
            identifier(f"step {one.name!r}", one.name)
            identifier(f"output of step {one.name!r}", one.output)
    except InvalidInput as error:
        raise BadWorkflow(name, error.violations[0].field, error.violations[0].description) from error
    for what, names in (("step", [one.name for one in steps]), ("output", [one.output for one in steps])):
        if twice := next((one for one in names if names.count(one) > 1), None):
            raise BadWorkflow(name, f"{what} {twice!r}", "is there twice; names must differ")
