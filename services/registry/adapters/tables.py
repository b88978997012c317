"""The registry's tables."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

from slipway.events.inbox import Inbox
from slipway.events.outbox import Outbox
from slipway.sql import Json, UtcTime

metadata = MetaData()
# A caller may ask for any unsigned 32-bit number. What SQLite calls INTEGER has 64 bits.
Number = BigInteger().with_variant(Integer, "sqlite")

model = Table(
    "model",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("owner", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("create_time", UtcTime, nullable=False),
    Column("latest_version", Number, nullable=False),
)

model_version = Table(
    "model_version",
    metadata,
    Column("model", String(128), primary_key=True),
    Column("number", Number, primary_key=True, autoincrement=False),
    Column("request_id", String(128), nullable=False, unique=True),
    Column("fingerprint", String(64), nullable=False),
    Column("artifact_digest", String(71), nullable=False),
    Column("artifact_size", BigInteger, nullable=False),
    Column("signature", Json, nullable=False),
    Column("metrics", Json, nullable=False),
    Column("params", Json, nullable=False),
    Column("lineage", Json, nullable=False),
    Column("create_time", UtcTime, nullable=False),
    Column("baseline", Json),
    ForeignKeyConstraint(["model"], ["model.name"]),
)

alias = Table(
    "alias",
    metadata,
    Column("model", String(128), primary_key=True),
    Column("name", String(128), primary_key=True),
    Column("version", Number, nullable=False),
    Column("update_time", UtcTime, nullable=False),
    ForeignKeyConstraint(["model", "version"], ["model_version.model", "model_version.number"]),
)

# Append-only: nothing of it is changed or removed.
alias_move = Table(
    "alias_move",
    metadata,
    Column("position", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("model", String(128), nullable=False),
    Column("alias", String(128), nullable=False),
    Column("from_version", Number, nullable=False),
    Column("to_version", Number, nullable=False),
    Column("time", UtcTime, nullable=False),
    Column("reason", Text, nullable=False),
    Column("rollback", Boolean, nullable=False),
    Index("alias_move_by_alias", "model", "alias", "position"),
    sqlite_autoincrement=True,
)

endpoint = Table(
    "endpoint",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("revision", BigInteger, nullable=False, index=True),
    Column("update_time", UtcTime, nullable=False),
    # A deleted endpoint stays as a tombstone, so that a watcher who was away learns of it.
    Column("deleted", Boolean, nullable=False),
    # Everything of it but its routes; NULL when there is nothing else.
    Column("settings", Json),
)

# The last revisions of each endpoint: what it should have been from one change to the next.
endpoint_revision = Table(
    "endpoint_revision",
    metadata,
    Column("endpoint", String(128), primary_key=True),
    Column("revision", BigInteger, primary_key=True, autoincrement=False),
    Column("time", UtcTime, nullable=False),
    Column("cause", String(32), nullable=False),
    Column("reason", Text, nullable=False),
    Column("rollout_id", String(64), nullable=False),
    # NULL when the endpoint was deleted.
    Column("spec", Json),
)

route = Table(
    "route",
    metadata,
    Column("endpoint", String(128), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("name", String(128), nullable=False),
    Column("model", String(128), nullable=False),
    Column("version", Number, nullable=False),
    Column("alias", String(128), nullable=False),
    Column("weight", Number, nullable=False),
    Column("resolved", Number, nullable=False),
    Column("shadow", Boolean, nullable=False),
    ForeignKeyConstraint(["endpoint"], ["endpoint.name"]),
    ForeignKeyConstraint(["model", "resolved"], ["model_version.model", "model_version.number"]),
)

rollout = Table(
    "rollout",
    metadata,
    Column("endpoint", String(128), primary_key=True),
    Column("number", Number, primary_key=True, autoincrement=False),
    Column("id", String(64), nullable=False, unique=True),
    Column("request_id", String(128), nullable=False, unique=True),
    Column("fingerprint", String(64), nullable=False),
    Column("model", String(128), nullable=False),
    Column("candidate_version", Number, nullable=False),
    Column("baseline_version", Number, nullable=False),
    Column("alias", String(128), nullable=False),
    Column("main_route", String(128), nullable=False),
    Column("main_weight", Number, nullable=False),
    Column("plan", Json, nullable=False),
    Column("state", String(32), nullable=False),
    Column("step", Number, nullable=False),
    Column("reason", Text, nullable=False),
    Column("create_time", UtcTime, nullable=False),
    Column("update_time", UtcTime, nullable=False),
    Column("start_revision", BigInteger, nullable=False),
    Column("start_event_time", UtcTime),
    ForeignKeyConstraint(["model", "candidate_version"], ["model_version.model", "model_version.number"]),
)

# One row: the revision of the desired state. An UPDATE of it puts concurrent writers in line on every database.
desired_state = Table(
    "desired_state",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("revision", BigInteger, nullable=False),
)

outbox = Outbox.table(metadata)
inbox = Inbox.table(metadata)
