"""Files of definitions, TOML or JSON: checked before anything is sent, errors name file, definition and field."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from services.feature_serving.cli.rows import moment
from slipway.client import (
    Aggregation,
    AggregationFunction,
    Feature,
    FeatureService,
    FeatureStatus,
    FeatureView,
    Source,
    ValueType,
)
from slipway.config import Settings
from slipway.errors import FieldViolation, InvalidInput, Kind, SlipwayError

TypeName = Literal["bool", "int32", "int64", "float", "double", "string", "timestamp"]
StatusName = Literal["null_value", "not_found", "outside_max_age"]
FunctionName = Literal["count", "sum", "mean", "min", "max", "stddev"]
Seconds = Annotated[int, Field(gt=0, le=92 * 86400)]
_POSITION = re.compile(r"\b(views|services)\[(\d+)\]")
_REFUSALS = {Kind.INVALID_ARGUMENT, Kind.FAILED_PRECONDITION, Kind.NOT_FOUND}
Definitions = Sequence[FeatureView] | Sequence[FeatureService]


class BadDefinitions(InvalidInput):
    """A file that holds no definitions, or unusable ones."""

    reason = "INVALID_DEFINITIONS"


class _Feature(Settings):
    name: str
    type: TypeName
    description: str = ""
    fallback: bool | int | float | datetime | str | None = None
    fallback_for: tuple[StatusName, ...] = ()

    @field_validator("fallback")
    @classmethod
    def _moment(cls, value: Any, found: ValidationInfo) -> Any:
        # JSON has no moments, and TOML's may lack a zone.
        if found.data.get("type") != "timestamp" or not isinstance(value, str | datetime):
            return value
        try:
            return moment("fallback", value)
        except InvalidInput as error:
            raise PydanticCustomError("moment", "{told}", {"told": error.violations[0].description}) from None

    def feature(self) -> Feature:
        replaces = tuple(FeatureStatus(one) for one in self.fallback_for)
        return Feature(self.name, ValueType(self.type), self.description, self.fallback, replaces)


class _Source(Settings):
    name: str = ""
    path: str
    event_time_column: str
    created_time_column: str = ""

    def source(self) -> Source:
        return Source(self.name, self.path, self.event_time_column, self.created_time_column)


class _Aggregation(Settings):
    feature: str
    column: str
    function: FunctionName
    window_s: Seconds

    def aggregation(self) -> Aggregation:
        function = AggregationFunction(self.function)
        return Aggregation(self.feature, self.column, function, timedelta(seconds=self.window_s))


class _View(Settings):
    name: str
    owner: str
    entities: tuple[str, ...]
    features: tuple[_Feature, ...]
    description: str = ""
    max_age_s: float | None = Field(None, gt=0, le=3650000 * 86400)
    entity_types: tuple[TypeName, ...] = ()
    source: _Source | None = None
    aggregations: tuple[_Aggregation, ...] = ()
    hop_s: Seconds | None = None

    def view(self) -> FeatureView:
        return FeatureView(
            name=self.name,
            owner=self.owner,
            entities=self.entities,
            features=tuple(one.feature() for one in self.features),
            description=self.description,
            max_age=None if self.max_age_s is None else timedelta(seconds=self.max_age_s),
            entity_types=tuple(ValueType(one) for one in self.entity_types),
            source=None if self.source is None else self.source.source(),
            aggregations=tuple(one.aggregation() for one in self.aggregations),
            hop=None if self.hop_s is None else timedelta(seconds=self.hop_s),
        )


class _Service(Settings):
    name: str
    owner: str
    features: tuple[str, ...]
    description: str = ""

    def service(self) -> FeatureService:
        return FeatureService(self.name, self.owner, self.features, self.description)


class _File(Settings):
    views: tuple[_View, ...] = ()
    services: tuple[_Service, ...] = ()


def read(file: Path) -> tuple[Sequence[FeatureView], Sequence[FeatureService]]:
    """The definitions of ``file``: ``[[views]]`` with ``[[views.features]]`` and what makes them, and ``[[services]]``.

    JSON when its name ends so, else TOML. Raises BadDefinitions.
    """
    language, loads = ("JSON", json.loads) if file.suffix == ".json" else ("TOML", tomllib.loads)
    try:
        tree = loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadDefinitions(f"can't read {file}: {error.strerror}") from error
    except ValueError as error:  # what both readers raise, and the decoding before them
        raise BadDefinitions(f"{file} is not valid {language}: {error}") from error
    return parse(file, tree)


def parse(file: Path, tree: Any) -> tuple[Sequence[FeatureView], Sequence[FeatureService]]:
    """The definitions that ``file`` stands for, as read. Raises BadDefinitions."""
    if not isinstance(tree, dict):
        raise BadDefinitions(f"{file}: holds no definitions; write an object with views, services or both")
    try:
        found = _File.model_validate(tree)
    except ValidationError as error:
        wrong = [_violation(one, tree) for one in error.errors()]
        told = "; ".join(f"{one.field}: {one.description}" for one in wrong)
        raise BadDefinitions(f"{file}: {told}", violations=wrong) from None
    if not found.views and not found.services:
        missing = FieldViolation("views", "is missing; add it, or services")
        raise BadDefinitions(f"{file}: {missing.field}: {missing.description}", violations=[missing])
    return [one.view() for one in found.views], [one.service() for one in found.services]


@contextmanager
def located(file: Path, definitions: Definitions) -> Iterator[None]:
    """Give refusals of ``definitions`` the file, and the name of each definition beside its position."""
    try:
        yield
    except SlipwayError as error:
        if error.kind not in _REFUSALS:
            raise
        names = dict(enumerate(one.name for one in definitions))
        wrong = [FieldViolation(_name(one.field, names), one.description) for one in error.violations]
        raise SlipwayError.rebuild(
            error.kind,
            error.reason,
            f"{file}: {_name(error.message, names)}",
            facts=error.facts,
            violations=wrong,
            retry_after_s=error.retry_after_s,
        ) from error


def _violation(error: ErrorDetails, tree: Mapping[str, Any]) -> FieldViolation:
    path = ""
    for part in error["loc"]:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    field = _name(path, _names(tree.get(str(error["loc"][0]))))
    if error["type"] == "extra_forbidden":
        return FieldViolation(field, "is not a known key; remove it or correct its spelling")
    if error["type"] == "missing":
        return FieldViolation(field, "is missing; add it")
    return FieldViolation(field, error["msg"])


def _names(made: object) -> Mapping[int, str]:
    if not isinstance(made, list):
        return {}
    return {n: str(one["name"]) for n, one in enumerate(made) if isinstance(one, dict) and "name" in one}


def _name(text: str, names: Mapping[int, str]) -> str:
    def named(found: re.Match[str]) -> str:
        name = names.get(int(found[2]))
        return f"{found[0]} ({name})" if name else found[0]

    return _POSITION.sub(named, text)
