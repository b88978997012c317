"""Feast's feature views in the catalogue's words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from feast import BatchFeatureView, FeatureView, FileSource, PushSource
from feast.data_format import ParquetFormat
from feast.types import (
    Bool,
    Float32,
    Float64,
    Int32,
    Int64,
    String,
    UnixTimestamp,
    from_value_type,
)
from feast.value_type import ValueType

from slipway.feast_definitions.fallbacks import fallback
from slipway.feast_definitions.refusals import Refusals
from slipway.feast_definitions.windows import aggregations, seconds, windowed_features

_TYPES = {
    Bool: "bool",
    Int32: "int32",
    Int64: "int64",
    Float32: "float",
    Float64: "double",
    String: "string",
    UnixTimestamp: "timestamp",
}
_KEY_TYPES = ("string", "int64")


def compile_view(view: Any, entities: Mapping[str, Any], refusals: Refusals) -> dict[str, Any]:
    """One view as a document; what can't be said goes to ``refusals``. ``entities`` are the repository's, by name."""
    where = f"views.{view.name}"
    _check(view, where, refusals)
    windows = list(getattr(view, "aggregations", None) or [])
    document: dict[str, Any] = {
        "name": view.name,
        "owner": view.owner,
        "description": view.description,
        **_entities(view, entities, where, refusals),
        "features": _features(view, windows, where, refusals),
    }
    if view.ttl:
        document["max_age_s"] = seconds(view.ttl)
    if source := _source(view, where, refusals):
        document["source"] = source
    if windows:
        document |= aggregations(windows, where, refusals)
    return document


def _check(view: Any, where: str, refusals: Refusals) -> None:
    """Refuse what makes a view something else than rows of a file, or windows over them."""
    kind = type(view)
    transformed = getattr(view, "feature_transformation", None) or getattr(view, "udf", None)
    wrong = {
        where: (
            kind not in {FeatureView, BatchFeatureView},
            f"is a {kind.__name__}; make it a FeatureView or a BatchFeatureView",
        ),
        f"{where}.owner": (not view.owner, "is empty; name the person or team that answers for the view"),
        f"{where}.udf": (transformed, "can't be run; write its result to the source"),
        f"{where}.source": (view.source_views, "is another view; write its rows to a FileSource"),
        f"{where}.online": (not view.online, "is False, but every view here is read online; set online=True"),
        f"{where}.enabled": (not view.enabled, "is False; take the view out of the repository, or enable it"),
        f"{where}.version": (
            view.version not in {"", "latest"},
            f"is {view.version}; give the view a name of its own instead",
        ),
        f"{where}.ttl": (view.ttl and view.ttl < timedelta(0), "is negative; 0 means that values never grow too old"),
    }
    for place, (is_wrong, description) in wrong.items():
        if is_wrong:
            refusals.add(place, description)


def _entities(view: Any, entities: Mapping[str, Any], where: str, refusals: Refusals) -> dict[str, Any]:
    keys, types = [], []
    declared = {field.name: field.dtype for field in view.entity_columns}
    for name in view.entities:
        if name == "__dummy":
            refusals.add(f"{where}.entities", "are missing; name the entities that a row is found by")
        elif name not in entities:
            refusals.add(f"{where}.entities", f"name {name}, which no module of the repository holds by a name")
        else:
            keys.append(entities[name].join_key)
            types.append(_key_type(entities[name], declared, where, refusals))
    return {"entities": keys, "entity_types": types}


def _key_type(entity: Any, declared: Mapping[str, Any], where: str, refusals: Refusals) -> str:
    kind: Any = declared.get(entity.join_key)
    if entity.value_type is not ValueType.UNKNOWN:
        kind = from_value_type(entity.value_type)
    told = _TYPES.get(kind, "")
    if told not in _KEY_TYPES:
        problem = "is not told" if kind is None else f"is {kind}"
        refusals.add(f"{where}.entities.{entity.name}.value_type", f"{problem}; make it STRING or INT64")
    return told


def _features(view: Any, windows: list[Any], where: str, refusals: Refusals) -> list[dict[str, Any]]:
    fields = windowed_features(view, windows, where, refusals) if windows else list(view.features)
    if not fields and not windows:
        refusals.add(f"{where}.schema", "is missing; name the features and their types")
    return [_feature(field, f"{where}.{field.name}", refusals) for field in fields]


def _feature(field: Any, where: str, refusals: Refusals) -> dict[str, Any]:
    kind = _TYPES.get(field.dtype, "")
    if not kind:
        refusals.add(where, f"is of type {field.dtype}; make it one of {', '.join(str(one) for one in _TYPES)}")
    told = {"name": field.name, "type": kind, "description": field.description}
    return told | fallback(kind, field.tags, where, refusals)


def _source(view: Any, where: str, refusals: Refusals) -> dict[str, Any] | None:
    where = f"{where}.source"
    given = view.data_source
    if given is None:
        return None  # a view that is online alone
    source = given.batch_source if isinstance(given, PushSource) else given
    if not isinstance(source, FileSource):
        refusals.add(where, f"is a {type(source).__name__}; make it a FileSource of Parquet")
        return None
    if source.field_mapping:
        refusals.add(where, "has a field_mapping; name the columns of the file as the view does")
    if source.file_format is not None and not isinstance(source.file_format, ParquetFormat):
        refusals.add(where, f"is in {type(source.file_format).__name__}; write it as Parquet")
    if source.s3_endpoint_override:
        refusals.add(where, "has an s3_endpoint_override; name a path that feature_serving can read")
    if not source.timestamp_field:
        refusals.add(where, "has no timestamp_field; name the column of the moments at which rows became known")
    return {
        "name": source.name,
        "path": source.path,
        "event_time_column": source.timestamp_field,
        "created_time_column": source.created_timestamp_column,
    }
