"""Workflows from the modules that the configuration names."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from services.training_scheduler.domain.workflow import Parameter, StepSpec, WorkflowSpec
from slipway.config import ConfigError
from slipway.errors import FieldViolation
from slipway.workflow import Workflow


class Library:
    """The workflows that may be run, by name."""

    def __init__(self, workflows: Iterable[Workflow], modules: Mapping[str, str] | None = None) -> None:
        self._modules = dict(modules or {})
        self._workflows = {one.name: one for one in sorted(workflows, key=lambda one: one.name)}
        self._specs = {name: _spec(one) for name, one in self._workflows.items()}

    def all(self) -> Sequence[WorkflowSpec]:
        """See Workflows."""
        return list(self._specs.values())

    def get(self, name: str) -> WorkflowSpec | None:
        """See Workflows."""
        return self._specs.get(name)

    def complete(self, name: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """See Workflows."""
        form = self._workflows[name].params
        return form.write(form.read(params))

    def workflow(self, name: str) -> Workflow:
        """The workflow itself. Raises KeyError."""
        return self._workflows[name]

    def module(self, name: str) -> str:
        """The module that the workflow was found in. Raises KeyError."""
        return self._modules[name]


def load(modules: Sequence[str], folders: Sequence[Path]) -> Library:
    """Import ``modules``, with ``folders`` on the import path, and take every workflow that they hold.

    Raises ConfigError naming the entry of ``workflow_modules`` or ``workflow_path`` that can't be used, and why.
    """
    for position, folder in enumerate(folders):
        if not folder.is_dir():
            raise _bad(f"workflow_path[{position}]", f"{folder} is not a folder; make it or correct the path")
        if str(folder) not in sys.path:
            sys.path.append(str(folder))
    found: dict[str, tuple[str, Workflow]] = {}
    for position, name in enumerate(modules):
        field = f"workflow_modules[{position}]"
        held = [one for one in vars(_import(field, name)).values() if isinstance(one, Workflow)]
        if not held:
            raise _bad(field, f"{name} holds no workflow; bind one to a name there, or remove the module")
        for one in held:
            giver, other = found.setdefault(one.name, (name, one))
            if other is not one:
                raise _bad(field, f"{name} has workflow {one.name!r}, and so has {giver}; rename one")
    return Library((one for _, one in found.values()), {name: giver for name, (giver, _) in found.items()})


def _import(field: str, name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:
        # Importing runs a user's code, which may fail in any way.
        text = str(error).strip() or "no reason given"
        raise _bad(field, f"{name} can't be imported: {type(error).__name__}: {text}") from error


def _bad(field: str, description: str) -> ConfigError:
    return ConfigError(f"{field}: {description}", violations=[FieldViolation(field, description)])


def _spec(workflow: Workflow) -> WorkflowSpec:
    return WorkflowSpec(
        name=workflow.name,
        description=workflow.description,
        parameters=tuple(Parameter(one.name, one.type, one.default_json) for one in workflow.parameters),
        steps=tuple(StepSpec(one.name, one.needs, one.output_type) for one in workflow.steps),
        code_digest=workflow.code_digest,
    )
