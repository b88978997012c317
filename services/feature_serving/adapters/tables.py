"""The feature catalogue's tables."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

from slipway.events.inbox import Inbox
from slipway.sql import Json, UtcTime

metadata = MetaData()

feature_view = Table(
    "feature_view",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("owner", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("entities", Json, nullable=False),
    Column("max_age_us", BigInteger),
    Column("revision", BigInteger, nullable=False),
    Column("update_time", UtcTime, nullable=False),
    Column("entity_types", Json),
    Column("source", Json),
    Column("aggregations", Json),
    Column("hop_us", BigInteger),
)

feature = Table(
    "feature",
    metadata,
    Column("view", String(128), primary_key=True),
    Column("name", String(128), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("type", String(16), nullable=False),
    Column("description", Text, nullable=False),
    # The value, and the names of the statuses that it stands in for; NULL where the feature has none.
    Column("fallback", Json),
    ForeignKeyConstraint(["view"], ["feature_view.name"]),
)

feature_service = Table(
    "feature_service",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("owner", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("update_time", UtcTime, nullable=False),
)

feature_service_feature = Table(
    "feature_service_feature",
    metadata,
    Column("service", String(128), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("view", String(128), nullable=False, index=True),
    Column("feature", String(128), nullable=False),
    ForeignKeyConstraint(["service"], ["feature_service.name"]),
)

watermark = Table(
    "watermark",
    metadata,
    Column("view", String(128), primary_key=True),
    Column("event_time_us", BigInteger, nullable=False),
    Column("update_time", UtcTime, nullable=False),
    # Of windowed views: how far their events are known to be complete, the late ones among them, and a count of writes.
    Column("complete_us", BigInteger, nullable=False, server_default="0"),
    Column("late_rows", BigInteger, nullable=False, server_default="0"),
    Column("version", BigInteger, nullable=False, server_default="0"),
)

window_tile = Table(
    "window_tile",
    metadata,
    Column("view", String(128), primary_key=True),
    Column("start_us", BigInteger, primary_key=True),
    Column("entity", LargeBinary, primary_key=True),
    Column("column_name", String(128), primary_key=True),
    Column("count", Double, nullable=False),
    Column("total", Double, nullable=False),
    Column("squares", Double, nullable=False),
    # Infinite where no value was: nothing is less, nothing is greater.
    Column("least", Double, nullable=False),
    Column("greatest", Double, nullable=False),
)

# As the online store has them: the key, and the values of fields. Digests of keys, for keys may be long.
pushed_row = Table(
    "pushed_row",
    metadata,
    Column("view", String(128), primary_key=True),
    Column("digest", LargeBinary, primary_key=True),
    Column("key", LargeBinary, nullable=False),
    Column("event_time_us", BigInteger, nullable=False),
    Column("fields", LargeBinary, nullable=False),
    Column("packed", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

inbox = Inbox.table(metadata)

training_set = Table(
    "training_set",
    metadata,
    # The place in the queue. SQLite numbers a row by itself only in a column that is called INTEGER.
    Column("position", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("id", String(32), nullable=False, unique=True),
    Column("mark", String(64), nullable=False, index=True),
    Column("recipe", Json, nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("error", Text, nullable=False),
    # Digest, size and what the join told; NULL until it is ready.
    Column("contents", Json),
    Column("create_time", UtcTime, nullable=False),
    Column("finish_time", UtcTime),
    sqlite_autoincrement=True,
)

training_set_request = Table(
    "training_set_request",
    metadata,
    Column("request_id", String(128), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("training_set", String(32), nullable=False),
    ForeignKeyConstraint(["training_set"], ["training_set.id"]),
)
