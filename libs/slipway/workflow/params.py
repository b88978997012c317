"""A workflow's parameters: a dataclass of JSON values."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slipway.errors import invalid_field
from slipway.workflow.annotation import hints, type_name
from slipway.workflow.errors import BadWorkflow, NotStorable
from slipway.workflow.forms import Form
from slipway.workflow.schema import form_of

MAX_BYTES = 64 * 1024


@dataclass(frozen=True)
class NoParams:
    """The parameters of a workflow that takes none."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: its annotation, and its default as JSON (empty when a value must be given)."""

    name: str
    annotation: Any
    default_json: str

    @property
    def type(self) -> str:
        """The annotation as people write it."""
        return type_name(self.annotation)


class ParamsForm:
    """Reads params from JSON and writes them back, defaults included."""

    def __init__(self, workflow: str, kind: type) -> None:
        if not (isinstance(kind, type) and dataclasses.is_dataclass(kind)):
            raise BadWorkflow(workflow, "params", f"{type_name(kind)} is not a dataclass; decorate it with @dataclass")
        self.kind = kind
        try:
            self._form: Form = form_of(kind, "params")
            kinds = hints(workflow, "params", kind)
            self.parameters = tuple(
                self._parameter(one, kinds[one.name]) for one in dataclasses.fields(kind) if one.init
            )
        except NotStorable as error:
            raise BadWorkflow(workflow, error.path, error.description) from error

    def _parameter(self, field: dataclasses.Field[Any], annotation: Any) -> Parameter:
        default: Any = field.default
        if field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        if default is dataclasses.MISSING:
            return Parameter(field.name, annotation, "")
        path = f"params.{field.name}"
        return Parameter(field.name, annotation, json.dumps(_write(form_of(annotation, path), path, default)))

    def read(self, given: Mapping[str, Any]) -> Any:
        """The params object. Raises InvalidInput about ``params.<name>``: unknown, missing, of a wrong type."""
        try:
            params = self._form.read("params", dict(given), [])
        except NotStorable as error:
            raise invalid_field(error.path, error.description) from error
        except (TypeError, ValueError) as error:
            # The dataclass's own __post_init__ refused it.
            raise invalid_field("params", str(error) or type(error).__name__) from error
        self.write(params)
        return params

    def write(self, params: Any) -> dict[str, Any]:
        """The params as JSON. Raises InvalidInput for a number that is not finite, or when they are too large."""
        try:
            written: dict[str, Any] = _write(self._form, "params", params)
            size = len(json.dumps(written))
        except NotStorable as error:
            raise invalid_field(error.path, error.description) from error
        if size > MAX_BYTES:
            raise invalid_field("params", f"have {size} bytes as JSON; at most {MAX_BYTES} are taken")
        return written


def _write(form: Form, path: str, value: Any) -> Any:
    blobs: list[bytes] = []
    written = form.write(path, value, blobs)
    if blobs:
        raise NotStorable(path, "holds bytes, a table or an array; params are JSON values")
    _require_finite(path, written)
    return written


def _require_finite(path: str, value: Any) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise NotStorable(path, f"is {value}; give a finite number")
    if isinstance(value, dict):
        for name, one in value.items():
            _require_finite(f"{path}.{name}", one)
    if isinstance(value, list):
        for position, one in enumerate(value):
            _require_finite(f"{path}[{position}]", one)
