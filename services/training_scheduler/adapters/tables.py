"""The scheduler's tables."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from slipway.events.inbox import Inbox
from slipway.events.outbox import Outbox
from slipway.sql import Json, UtcTime

metadata = MetaData()

run = Table(
    "run",
    metadata,
    # The place in the queue. SQLite numbers a row by itself only in a column that is called INTEGER.
    Column("position", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("id", String(32), nullable=False, unique=True),
    Column("request_id", String(128), nullable=False, unique=True),
    Column("fingerprint", String(64), nullable=False),
    Column("workflow", String(128), nullable=False, index=True),
    Column("code_digest", String(71), nullable=False),
    Column("params", Json, nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("create_time", UtcTime, nullable=False),
    Column("finish_time", UtcTime),
    Column("error", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("incident_id", String(128), nullable=False, server_default=""),
    sqlite_autoincrement=True,
)

step = Table(
    "step",
    metadata,
    Column("run_id", String(32), primary_key=True),
    Column("name", String(128), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("finish_time", UtcTime),
    Column("output_digest", String(71), nullable=False),
    Column("summary", Json),
    ForeignKeyConstraint(["run_id"], ["run.id"]),
)

attempt = Table(
    "attempt",
    metadata,
    Column("token", String(32), primary_key=True),
    Column("run_id", String(32), nullable=False),
    Column("step", String(128), nullable=False),
    Column("number", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("start_time", UtcTime, nullable=False),
    Column("error", Text, nullable=False),
    UniqueConstraint("run_id", "step", "number"),
    ForeignKeyConstraint(["run_id", "step"], ["step.run_id", "step.name"]),
)

# `trigger` alone is a word of SQL's own.
trigger = Table(
    "trigger_rule",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("endpoint", String(128), nullable=False, index=True),
    Column("workflow", String(128), nullable=False),
    Column("params", Json, nullable=False),
    Column("cutoff_param", String(128), nullable=False),
    Column("cool_down_us", BigInteger, nullable=False),
    Column("last_incident_id", String(128), nullable=False),
    Column("last_trigger_time", UtcTime),
    Column("last_run_id", String(32), nullable=False),
)

outbox = Outbox.table(metadata)
inbox = Inbox.table(metadata)
