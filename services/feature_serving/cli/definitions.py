"""Files of feature views: TOML, checked before anything is sent, with errors that name file, view and field."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError
from pydantic_core import ErrorDetails

from slipway.client import Feature, FeatureView, ValueType
from slipway.config import Settings
from slipway.errors import FieldViolation, InvalidInput, SlipwayError

TypeName = Literal["bool", "int32", "int64", "float", "double", "string", "timestamp"]
_POSITION = re.compile(r"\bviews\[(\d+)\]")


class BadDefinitions(InvalidInput):
    """A file that holds no feature views, or unusable ones."""

    reason = "INVALID_DEFINITIONS"


class _Feature(Settings):
    name: str
    type: TypeName
    description: str = ""


class _View(Settings):
    name: str
    owner: str
    entities: tuple[str, ...]
    features: tuple[_Feature, ...]
    description: str = ""
    max_age_s: float | None = Field(None, gt=0, le=3650000 * 86400)

    def view(self) -> FeatureView:
        return FeatureView(
            name=self.name,
            owner=self.owner,
            entities=self.entities,
            features=tuple(Feature(one.name, ValueType(one.type), one.description) for one in self.features),
            description=self.description,
            max_age=None if self.max_age_s is None else timedelta(seconds=self.max_age_s),
        )


class _File(Settings):
    views: tuple[_View, ...]


def read(file: Path) -> Sequence[FeatureView]:
    """The views of ``file``, as ``[[views]]`` and ``[[views.features]]``. Raises BadDefinitions."""
    try:
        tree = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadDefinitions(f"can't read {file}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadDefinitions(f"{file} is not valid TOML: {error}") from error
    try:
        return [view.view() for view in _File.model_validate(tree).views]
    except ValidationError as error:
        wrong = [_violation(one, tree) for one in error.errors()]
        told = "; ".join(f"{one.field}: {one.description}" for one in wrong)
        raise BadDefinitions(f"{file}: {told}", violations=wrong) from None


def located(error: SlipwayError, file: Path, views: Sequence[FeatureView]) -> SlipwayError:
    """``error`` with the file, and with the name of each view beside its position."""
    names = dict(enumerate(view.name for view in views))
    wrong = [FieldViolation(_name(one.field, names), one.description) for one in error.violations]
    return SlipwayError.rebuild(
        error.kind,
        error.reason,
        f"{file}: {_name(error.message, names)}",
        facts=error.facts,
        violations=wrong,
        retry_after_s=error.retry_after_s,
    )


def _violation(error: ErrorDetails, tree: Mapping[str, Any]) -> FieldViolation:
    path = ""
    for part in error["loc"]:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    field = _name(path, _names(tree.get("views")))
    if error["type"] == "extra_forbidden":
        return FieldViolation(field, "is not a known key; remove it or correct its spelling")
    if error["type"] == "missing":
        return FieldViolation(field, "is missing; add it")
    return FieldViolation(field, error["msg"])


def _names(views: object) -> Mapping[int, str]:
    if not isinstance(views, list):
        return {}
    return {n: str(view["name"]) for n, view in enumerate(views) if isinstance(view, dict) and "name" in view}


def _name(text: str, names: Mapping[int, str]) -> str:
    def named(found: re.Match[str]) -> str:
        name = names.get(int(found[1]))
        return f"{found[0]} ({name})" if name else found[0]

    return _POSITION.sub(named, text)
