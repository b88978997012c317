"""What the scheduler knows of a workflow."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter; ``default_json`` is empty when a value must be given."""

    name: str
    type: str
    default_json: str = ""


@dataclass(frozen=True, slots=True)
class StepSpec:
    """One step and the steps whose outputs it takes."""

    name: str
    inputs: tuple[str, ...] = ()
    output_type: str = ""


@dataclass(frozen=True, slots=True)
class WorkflowSpec:
    """A workflow; ``steps`` stand in an order in which they may run."""

    name: str
    description: str
    parameters: tuple[Parameter, ...]
    steps: tuple[StepSpec, ...]
    code_digest: str
