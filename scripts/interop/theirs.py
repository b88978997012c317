"""Feast's side, run in Feast's own environment: a job as JSON on stdin, what came of it as JSON on stdout."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType
from feast import types as kinds
from feast.infra.online_stores.helpers import _mmh3, _redis_key
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value
from google.protobuf.timestamp_pb2 import Timestamp

_TYPES = {
    "bool": kinds.Bool,
    "int32": kinds.Int32,
    "int64": kinds.Int64,
    "float": kinds.Float32,
    "double": kinds.Float64,
    "string": kinds.String,
    "timestamp": kinds.UnixTimestamp,
}
_FIELDS = {name: f"{name}_val" for name in _TYPES} | {"timestamp": "unix_timestamp_val"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def open_store(job: dict[str, Any]) -> FeatureStore:
    """A small feature repository in ``job["folder"]`` with the views of the job."""
    online = {"type": "redis", "connection_string": job["redis"]}
    config = RepoConfig(
        project=job["project"],
        provider="local",
        registry=f"{job['folder']}/registry.db",
        online_store=online,
        entity_key_serialization_version=3,
    )
    store = FeatureStore(config=config)
    for view, told in job["views"].items():
        entities = [
            Entity(name=name, join_keys=[name], value_type=ValueType[kind.upper()])
            for name, kind in told["entities"].items()
        ]
        schema = [
            Field(name=name, dtype=_TYPES[kind]) for name, kind in {**told["entities"], **told["features"]}.items()
        ]
        source = FileSource(path=f"{job['folder']}/none.parquet", timestamp_field="event_time")
        store.apply([*entities, FeatureView(name=view, entities=entities, schema=schema, source=source)])
    return store


def value(kind: str, plain: Any) -> Value:
    """A value as Feast's own message has it."""
    return Value() if plain is None else Value(**{_FIELDS[kind]: plain})


def entity_key(told: dict[str, Any], row: dict[str, Any]) -> EntityKey:
    """The entity of a row."""
    names = list(told["entities"])
    return EntityKey(join_keys=names, entity_values=[value(told["entities"][name], row[name]) for name in names])


def write(job: dict[str, Any]) -> None:
    """Write the rows by Feast's own online store."""
    store = open_store(job)
    provider = store._get_provider()  # noqa: SLF001  (the writer below materialize, without a data frame's types)
    for view, rows in job["rows"].items():
        told = job["views"][view]
        data: list[tuple[Any, dict[str, Any], datetime, datetime | None]] = [
            (
                entity_key(told, row),
                {name: value(kind, row[name]) for name, kind in told["features"].items()},
                _EPOCH + timedelta(microseconds=row["event_time"]),
                None,
            )
            for row in rows
        ]
        provider.online_write_batch(store.config, store.get_feature_view(view), data, None)


def read(job: dict[str, Any]) -> dict[str, Any]:
    """What Feast's get_online_features answers for the rows' entities."""
    store = open_store(job)
    answered = {}
    for view, rows in job["rows"].items():
        told = job["views"][view]
        response = store.get_online_features(
            features=[f"{view}:{name}" for name in told["features"]],
            entity_rows=[{name: row[name] for name in told["entities"]} for row in rows],
        )
        values = response.to_dict()
        proto = response.proto
        names = list(proto.metadata.feature_names.val)
        times = [
            stamp.ToMicroseconds()
            for stamp in proto.results[names.index(next(iter(told["features"])))].event_timestamps
        ]
        answered[view] = {"values": {name: values[name] for name in told["features"]}, "event_times": times}
    return answered


def record(job: dict[str, Any]) -> dict[str, Any]:
    """The bytes that Feast itself makes of the rows: keys, hash fields and values, in hexadecimal."""
    made: dict[str, Any] = {}
    for view, rows in job["rows"].items():
        told = job["views"][view]
        made[view] = {
            **told,
            "fields": {name: _mmh3(f"{view}:{name}").hex() for name in told["features"]},
            "timestamp_field": f"_ts:{view}",
            "rows": [
                {
                    "given": row,
                    "key": _redis_key(job["project"], entity_key(told, row), 3).hex(),
                    "values": {
                        name: value(kind, row[name]).SerializeToString().hex()
                        for name, kind in told["features"].items()
                    },
                    "timestamp": _stamp(row["event_time"]).hex(),
                }
                for row in rows
            ],
        }
    return made


def _stamp(moment_us: int) -> bytes:
    stamp = Timestamp()
    stamp.FromDatetime(_EPOCH + timedelta(microseconds=moment_us))
    return bytes(stamp.SerializeToString())


def plain(one: Any) -> Any:
    """Moments as whole seconds since 1970."""
    return int(one.timestamp()) if isinstance(one, datetime) else str(one)


if __name__ == "__main__":
    print(
        json.dumps({"write": write, "read": read, "record": record}[sys.argv[1]](json.load(sys.stdin)), default=plain)
    )
