"""Reading a section tree from TOML, the environment and flags."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, Field, ValidationError
from pydantic_core import ErrorDetails

from slipway.errors import FieldViolation, InvalidInput

Tree = dict[str, Any]
S = TypeVar("S", bound=BaseModel)


class ConfigError(InvalidInput):
    """A configuration file, variable or flag that can't be used."""

    reason = "INVALID_CONFIG"


def from_env(variable: str, default: Any = ..., *, factory: Callable[[], Any] | None = None) -> Any:
    """A field that the environment variable overrides; for addresses, data folders and secret paths only.

    ``factory`` makes the default when the configuration is read, not when the module is imported.
    """
    if factory is not None:
        return Field(default_factory=factory, validate_default=True, json_schema_extra={"env": variable})
    return Field(default, json_schema_extra={"env": variable})


def load(
    model: type[S],
    file: Path | None = None,
    *,
    flags: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
) -> S:
    """Build ``model`` from ``file``, ``environ`` and ``flags`` (dotted keys; None means not given).

    Raises :class:`ConfigError` naming every bad key and how to mend it.
    """
    tree = _read(file) if file else {}
    _overlay_environment(tree, model, os.environ if environ is None else environ)
    for dotted, value in (flags or {}).items():
        if value is not None:
            _put(tree, dotted.split("."), value)
    try:
        return model.model_validate(tree)
    except ValidationError as error:
        violations = [_violation(one) for one in error.errors()]
        where = f" in {file}" if file else ""
        told = "; ".join(f"{one.field}: {one.description}" for one in violations)
        raise ConfigError(f"bad configuration{where}: {told}", violations=violations) from None


def _read(file: Path) -> Tree:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"can't read the configuration file {file}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} is not valid TOML: {error}") from error


def _overlay_environment(tree: Tree, model: type[BaseModel], environ: Mapping[str, str]) -> None:
    for name, field in model.model_fields.items():
        section = _section(field.annotation)
        if section is not None:
            nested = tree.setdefault(name, {})
            if isinstance(nested, dict):
                _overlay_environment(nested, section, environ)
                if not nested:
                    del tree[name]
            continue
        extra = field.json_schema_extra
        variable = extra.get("env") if isinstance(extra, dict) else None
        # An empty variable is how a shell or a compose file says that there is none.
        if isinstance(variable, str) and environ.get(variable):
            tree[name] = environ[variable]


def _section(annotation: Any) -> type[BaseModel] | None:
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None


def _put(tree: Tree, keys: list[str], value: Any) -> None:
    for key in keys[:-1]:
        nested = tree.setdefault(key, {})
        if not isinstance(nested, dict):
            return  # the file has a value where a section belongs; validation says so
        tree = nested
    tree[keys[-1]] = value


def _violation(error: ErrorDetails) -> FieldViolation:
    field = ".".join(str(part) for part in error["loc"]) or "(root)"
    if error["type"] == "extra_forbidden":
        return FieldViolation(field, "is not a known key; remove it or correct its spelling")
    if error["type"] == "missing":
        return FieldViolation(field, "is required; set it in the file or by its variable")
    return FieldViolation(field, error["msg"].removeprefix("Value error, "))
