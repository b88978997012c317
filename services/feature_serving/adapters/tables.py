"""The feature catalogue's tables."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Integer, MetaData, String, Table, Text

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
)

feature = Table(
    "feature",
    metadata,
    Column("view", String(128), primary_key=True),
    Column("name", String(128), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("type", String(16), nullable=False),
    Column("description", Text, nullable=False),
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
)
