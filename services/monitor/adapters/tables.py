"""The monitor's tables."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Dialect, Double, Index, MetaData, String, Table
from sqlalchemy.types import TypeDecorator

from slipway.events.inbox import Inbox
from slipway.sql import Json, UtcTime


class Whole(TypeDecorator[int]):
    """A whole number of any size, as its digits: no database's integers hold the square of what labels may be."""

    impl = String(400)
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> Any:
        """Encode one number."""
        return None if value is None else str(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> int | None:
        """Decode one number."""
        return None if value is None else int(value)


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

inbox = Inbox.table(metadata)
