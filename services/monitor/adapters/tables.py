"""The monitor's tables."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

from services.monitor.adapters.whole import Whole
from slipway.events.inbox import Inbox
from slipway.events.outbox import Outbox
from slipway.sql import Json, UtcTime


def _window() -> list[Column[Any]]:
    # The end is part of the key: windows of another width, counted after a change of configuration, stand beside.
    return [
        Column("start_us", BigInteger, primary_key=True, autoincrement=False),
        Column("endpoint", String(128), primary_key=True),
        Column("model", String(128), primary_key=True),
        Column("version", BigInteger, primary_key=True, autoincrement=False),
        Column("route", String(128), primary_key=True),
        Column("end_us", BigInteger, primary_key=True, autoincrement=False),
    ]


metadata = MetaData()

prediction_window = Table(
    "prediction_window",
    metadata,
    *_window(),
    Column("predictions", BigInteger, nullable=False),
    Index("ix_prediction_window_endpoint", "endpoint", "start_us"),
)

# Sums in billionths; bins is a list of [bin, count].
performance_window = Table(
    "performance_window",
    metadata,
    *_window(),
    Column("predictions", BigInteger, nullable=False),
    Column("joined", BigInteger, nullable=False),
    Column("delay_us", Whole, nullable=False),
    Column("newest_label_us", BigInteger),
    Column("log_loss", Whole, nullable=False),
    Column("brier", Whole, nullable=False),
    Column("measured", BigInteger, nullable=False),
    Column("absolute", Whole, nullable=False),
    Column("squared", Whole, nullable=False),
    Column("bins", Json, nullable=False),
    Index("ix_performance_window_endpoint", "endpoint", "start_us"),
)

# The most written tables: without a rowid SQLite keeps one tree for the key and the row.
prediction = Table(
    "prediction",
    metadata,
    Column("endpoint", String(128), primary_key=True),
    Column("prediction_id", String(256), primary_key=True),
    Column("model", String(128), primary_key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("route", String(128), primary_key=True),
    Column("event_us", BigInteger, nullable=False),
    Column("score", Double),
    Column("window_us", BigInteger, nullable=False),
    Column("seen_at", UtcTime, nullable=False, index=True),
    sqlite_with_rowid=False,
)

label = Table(
    "label",
    metadata,
    Column("endpoint", String(128), primary_key=True),
    Column("prediction_id", String(256), primary_key=True),
    Column("value", Double, nullable=False),
    Column("time_us", BigInteger, nullable=False),
    Column("source", String(128), nullable=False),
    Column("joined", Boolean, nullable=False),
    Column("seen_at", UtcTime, nullable=False, index=True),
    sqlite_with_rowid=False,
)

label_tally = Table(
    "label_tally",
    metadata,
    Column("endpoint", String(128), primary_key=True),
    Column("recorded", BigInteger, nullable=False),
    Column("corrected", BigInteger, nullable=False),
    Column("repeated", BigInteger, nullable=False),
    Column("ignored", BigInteger, nullable=False),
    Column("joined", BigInteger, nullable=False),
    Column("expired", BigInteger, nullable=False),
)

# What the registry announced: bodies are the domain's values, field by field.
baseline = Table(
    "baseline",
    metadata,
    Column("model", String(128), primary_key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("body", Json, nullable=False),
)

endpoint = Table(
    "endpoint",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("body", Json, nullable=False),
)

progress = Table(
    "progress",
    metadata,
    Column("endpoint", String(128), primary_key=True),
    Column("predictions_us", BigInteger),
    Column("labels_us", BigInteger),
    Column("judged_us", BigInteger),
)

# One row for all features of a version: counts are little-endian 64-bit numbers in the order of the baseline.
feature_window = Table(
    "feature_window",
    metadata,
    Column("start_us", BigInteger, primary_key=True, autoincrement=False),
    Column("endpoint", String(128), primary_key=True),
    Column("model", String(128), primary_key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("end_us", BigInteger, primary_key=True, autoincrement=False),
    Column("rows", BigInteger, nullable=False),
    Column("counts", LargeBinary, nullable=False),
    Index("ix_feature_window_endpoint", "endpoint", "start_us"),
)

# What a version answered before its baseline was known: a batch of the log, as far as its features go.
waiting_batch = Table(
    "waiting_batch",
    metadata,
    Column("event_id", Text, primary_key=True),
    Column("endpoint", String(128), nullable=False),
    Column("model", String(128), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("window_us", BigInteger, nullable=False),
    Column("seen_at", UtcTime, nullable=False, index=True),
    Column("value", LargeBinary, nullable=False),
    Index("ix_waiting_batch_version", "model", "version", "endpoint"),
)

streak = Table(
    "streak",
    metadata,
    Column("endpoint", String(128), primary_key=True),
    Column("model", String(128), primary_key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String(32), primary_key=True),
    Column("bad", BigInteger, nullable=False),
    Column("good", BigInteger, nullable=False),
    Column("start_us", BigInteger, nullable=False),
    Column("causes", Json, nullable=False),
)


def _position() -> Column[int]:
    # SQLite numbers a row by itself only in a column that is called INTEGER.
    return Column("position", BigInteger().with_variant(Integer, "sqlite"), primary_key=True)


incident = Table(
    "incident",
    metadata,
    _position(),
    Column("id", String(64), nullable=False, unique=True),
    Column("endpoint", String(128), nullable=False),
    Column("model", String(128), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("start_us", BigInteger, nullable=False),
    Column("trigger_us", BigInteger, nullable=False),
    Column("harm", Json, nullable=False),
    Column("causes", Json, nullable=False),
    Column("create_time", UtcTime, nullable=False),
    Column("close_time", UtcTime),
    Column("close_reason", Text, nullable=False),
    Index("ix_incident_endpoint", "endpoint", "position"),
)

# A step of a rollout while it waits for its verdict, and after.
trial = Table(
    "trial",
    metadata,
    Column("endpoint", String(128), primary_key=True),
    Column("rollout_id", String(128), primary_key=True),
    Column("step", BigInteger, primary_key=True, autoincrement=False),
    Column("running", Boolean, nullable=False),
    Column("body", Json, nullable=False),
    Column("labels", BigInteger, nullable=False),
    Column("total", Whole, nullable=False),
    Column("squared", Whole, nullable=False),
    Column("newest_label_us", BigInteger),
    Column("candidate_bins", Json, nullable=False),
    Column("baseline_bins", Json, nullable=False),
)

verdict = Table(
    "verdict",
    metadata,
    _position(),
    Column("endpoint", String(128), nullable=False),
    Column("rollout_id", String(128), nullable=False),
    Column("step", BigInteger, nullable=False),
    Column("decision", String(32), nullable=False),
    Column("reason", Text, nullable=False),
    Column("labels", BigInteger, nullable=False),
    Column("mean", Double, nullable=False),
    Column("lower", Double, nullable=False),
    Column("upper", Double, nullable=False),
    Column("candidate_auc", Double),
    Column("baseline_auc", Double),
    Column("event_us", BigInteger, nullable=False),
    Column("create_time", UtcTime, nullable=False),
    Index("ux_verdict_step", "endpoint", "rollout_id", "step", unique=True),
)

inbox = Inbox.table(metadata)
outbox = Outbox.table(metadata)
