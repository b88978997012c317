"""The monitor's tables."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, MetaData, String, Table

from slipway.events.inbox import Inbox

metadata = MetaData()

# The end is part of the key: windows of another width, counted after a change of configuration, stand beside.
prediction_window = Table(
    "prediction_window",
    metadata,
    Column("start_us", BigInteger, primary_key=True, autoincrement=False),
    Column("endpoint", String(128), primary_key=True),
    Column("model", String(128), primary_key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("route", String(128), primary_key=True),
    Column("end_us", BigInteger, primary_key=True, autoincrement=False),
    Column("predictions", BigInteger, nullable=False),
    Index("ix_prediction_window_endpoint", "endpoint", "start_us"),
)

inbox = Inbox.table(metadata)
