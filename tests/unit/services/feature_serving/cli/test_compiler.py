"""Feast repositories in the catalogue's words; each test starts a process that imports Feast for some seconds."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.feature_serving.cli import compiler
from services.feature_serving.cli.compiler import compile_repository
from services.feature_serving.cli.definitions import BadDefinitions, parse
from slipway.client import AggregationFunction, FeatureStatus, Source, ValueType
from slipway.errors import Unavailable

REFUSED = """
from datetime import timedelta
from feast import (
    Aggregation, BatchFeatureView, Entity, FeatureService, FeatureView, Field, FileSource, PushSource, RequestSource,
    StreamFeatureView, ValueType,
)
from feast.data_format import JsonFormat
from feast.data_source import KafkaSource
from feast.on_demand_feature_view import on_demand_feature_view
from feast.types import Array, Float64, Int64, String

HOUR = timedelta(hours=1)
user = Entity(name="user", join_keys=["user_id"], value_type=ValueType.INT64)
shop = Entity(name="shop", join_keys=["shop_id"], value_type=ValueType.FLOAT)
file = FileSource(name="orders", path="orders.parquet", timestamp_field="at", created_timestamp_column="written")
number = [Field(name="number", dtype=Int64)]
rest = {"entities": [user], "owner": "dock"}

fine = FeatureView(name="fine", source=PushSource(name="pushed", batch_source=file), schema=number, ttl=HOUR, **rest)
mapped = FeatureView(
    name="mapped", source=FileSource(path="a", timestamp_field="t", field_mapping={"a": "b"}), schema=number, **rest
)
timeless = FeatureView(name="timeless", source=FileSource(path="a"), schema=number, **rest)
nobody = FeatureView(name="nobody", source=file, schema=number, entities=[user])
keyless = FeatureView(name="keyless", source=file, schema=number, owner="dock")
floating = FeatureView(name="floating", source=file, schema=number, entities=[shop], owner="dock")
lists = FeatureView(name="lists", source=file, schema=[Field(name="many", dtype=Array(Float64))], **rest)
empty = FeatureView(name="empty", source=file, **rest)
topic = KafkaSource(
    name="topic", timestamp_field="at", batch_source=file, kafka_bootstrap_servers="kafka", topic="orders",
    message_format=JsonFormat("number int"),
)
kafka = FeatureView(name="kafka", source=topic, schema=number, **rest)
stream = StreamFeatureView(name="stream", source=topic, schema=number, timestamp_field="at", **rest)
offline = BatchFeatureView(name="offline", source=file, schema=number, **rest)
pinned = FeatureView(name="pinned", source=file, schema=number, version="v2", **rest)
run = BatchFeatureView(name="run", source=file, schema=number, online=True, udf=lambda rows: rows, **rest)

def windows(name, *given, schema=None):
    return BatchFeatureView(name=name, source=file, online=True, aggregations=list(given), schema=schema, **rest)

named = windows(
    "named",
    Aggregation(column="price", function="avg", time_window=2 * HOUR, slide_interval=HOUR),
    Aggregation(column="price", function="count", time_window=HOUR, slide_interval=HOUR),
)
hops = windows(
    "hops",
    Aggregation(column="price", function="sum", time_window=HOUR),
    Aggregation(column="price", function="sum", time_window=2 * HOUR),
)
sampled = windows("sampled", Aggregation(column="price", function="std", time_window=HOUR))
distinct = windows("distinct", Aggregation(column="price", function="count_distinct", time_window=HOUR))
endless = windows("endless", Aggregation(column="price", function="sum", name="total"))
other = windows("other", Aggregation(column="price", function="sum", name="total", time_window=HOUR), schema=number)

@on_demand_feature_view(sources=[RequestSource(name="asked", schema=number)], schema=[Field(name="twice", dtype=Int64)])
def twice(rows):
    return rows

untyped = FeatureView(name="untyped", source=file, schema=[
    Field(name="wide", dtype=Int64, tags={"fallback": "9223372036854775808"}),
    Field(name="half", dtype=Int64, tags={"fallback": "1.5"}),
    Field(name="none", dtype=Float64, tags={"fallback": "nan"}),
    Field(name="alone", dtype=Int64, tags={"fallback_for": "not_found"}),
    Field(name="always", dtype=String, tags={"fallback": "x", "fallback_for": "not_found, always"}),
], **rest)

renamed = FeatureService(name="renamed", owner="dock", features=[fine.with_name("better")])
rekeyed = FeatureService(name="rekeyed", owner="dock", features=[fine.with_join_key_map({"user_id": "buyer_id"})])
told = FeatureService(name="told", owner="dock", features=["fine:number", "fine:none", "gone", "fine@v1"])
"""
TOLD = [
    "views.mapped.source: has a field_mapping",
    "views.timeless.source: has no timestamp_field",
    "views.nobody.owner: is empty",
    "views.keyless.entities: are missing",
    "views.floating.entities.shop.value_type: is Float32; make it STRING or INT64",
    "views.lists.many: is of type Array(Float64); make it one of",
    "views.empty.schema: is missing",
    "views.kafka.source: is a KafkaSource; make it a FileSource",
    "views.stream: is a StreamFeatureView",
    "views.twice: is a OnDemandFeatureView",
    "views.offline.online: is False",
    "views.pinned.version: is v2",
    "views.run.udf: can't be run",
    "views.hops.slide_interval: differs (1:00:00, 2:00:00)",
    "views.sampled.std_price_3600s: function std is over a sample; write stddev_pop",
    "views.distinct.count_distinct_price_3600s: function count_distinct is none of count, sum",
    "views.endless.total: has no time_window",
    "views.other.schema.number: is the output of no aggregation",
    "views.other.schema: lacks total",
    "views.untyped.wide.tags.fallback: is '9223372036854775808', but the feature is int64; write a whole number",
    "views.untyped.half.tags.fallback: is '1.5', but the feature is int64; write a whole number",
    "views.untyped.none.tags.fallback: is 'nan', but the feature is double; write a finite number",
    "views.untyped.alone.tags.fallback_for: is given without fallback; add that tag",
    "views.untyped.always.tags.fallback_for: is 'not_found, always'; write some of null_value, not_found",
    "services.renamed.fine: is renamed to better",
    "services.rekeyed.fine: is found by other join keys",
    "services.told.fine:none: is no feature",
    "services.told.gone: is no view",
    "services.told.fine@v1: is pinned",
]


def repository(folder: Path, code: str) -> Path:
    (folder / "feature_store.yaml").write_text("project: slipway\nprovider: local\n")
    (folder / "shop_definitions.py").write_text(code)
    return folder


def test_what_the_catalogue_cannot_say_is_refused_by_name_all_at_once(tmp_path: Path) -> None:
    with pytest.raises(BadDefinitions) as raised:
        compile_repository(repository(tmp_path, REFUSED), progress=print)
    told = [f"{one.field}: {one.description}" for one in raised.value.violations]
    assert [expected for expected in TOLD if not any(one.startswith(expected) for one in told)] == [], told
    assert len(told) == len(TOLD)
    assert not any("views.fine" in one or "views.named" in one for one in told)


def test_names_and_types_are_those_of_feast(tmp_path: Path) -> None:
    start, end = REFUSED.index("mapped = "), REFUSED.index("def windows")
    code = REFUSED[:start] + REFUSED[end : REFUSED.index("hops = ")]
    code += 'all = FeatureService(name="all", owner="dock", features=["fine", named])\n'
    views, (service,) = parse(tmp_path, json.loads(compile_repository(repository(tmp_path, code), progress=print)))
    fine, named = views
    assert (fine.source, fine.max_age) == (Source("orders", "orders.parquet", "at", "written"), timedelta(hours=1))
    assert (fine.entities, fine.entity_types) == (("user_id",), (ValueType.INT64,))
    assert [(one.name, one.type) for one in named.features] == [
        ("avg_price_7200s", ValueType.DOUBLE),
        ("count_price_3600s", ValueType.INT64),
    ]
    assert [one.function for one in named.aggregations] == [AggregationFunction.MEAN, AggregationFunction.COUNT]
    assert service.features == ("fine:number", "named:avg_price_7200s", "named:count_price_3600s")


FALLBACKS = """
from feast import Entity, FeatureView, Field, FileSource, ValueType
from feast.types import Bool, Float32, Float64, Int32, Int64, String, UnixTimestamp

user = Entity(name="user", join_keys=["user_id"], value_type=ValueType.INT64)
source = FileSource(path="orders.parquet", timestamp_field="at")

def field(kind, text, **more):
    return Field(name=f"f_{kind}".lower(), dtype=kind, tags={"team": "dock", "fallback": text, **more})

orders = FeatureView(name="orders", source=source, entities=[user], owner="dock", schema=[
    field(Bool, "True"), field(Int32, "-1"), field(Int64, "0", fallback_for="null_value, not_found"),
    field(Float32, "0.5"), field(Float64, "-1e300"), field(String, ""), field(UnixTimestamp, "1999-01-01T00:00:00Z"),
    Field(name="without", dtype=Int64, tags={"team": "dock"}),
])
"""


def test_a_fallback_is_a_tag_that_is_read_by_the_feature_s_type(tmp_path: Path) -> None:
    ([view], _) = parse(tmp_path, json.loads(compile_repository(repository(tmp_path, FALLBACKS), progress=print)))
    given = [True, -1, 0, 0.5, -1e300, "", datetime(1999, 1, 1, tzinfo=UTC), None]
    assert [one.fallback for one in view.features] == given
    assert [type(one.fallback) for one in view.features] == [type(one) for one in given]
    assert view.features[2].fallback_for == (FeatureStatus.NULL_VALUE, FeatureStatus.NOT_FOUND)
    assert {one.fallback_for for one in view.features if one.type is not ValueType.INT64} == {()}


def test_a_file_that_fails_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(BadDefinitions, match=r"shop_definitions\.py:2: fails with ZeroDivisionError: division by zero"):
        compile_repository(repository(tmp_path, "one = 1\none / 0\n"), progress=print)


def test_where_feast_is_missing_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiler.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(Unavailable, match=r"install slipway with its 'definitions' extra"):
        compile_repository(tmp_path, progress=print)
