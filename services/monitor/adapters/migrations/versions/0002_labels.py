"""Predictions and labels that are kept for each other, and the performance that they add up to."""

import sqlalchemy as sa
from alembic import op

from slipway.sql import Json, UtcTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables; predictions that were counted before have no performance."""
    _performance_windows()
    op.create_table(
        "prediction",
        sa.Column("endpoint", sa.String(128), primary_key=True),
        sa.Column("prediction_id", sa.String(256), primary_key=True),
        sa.Column("model", sa.String(128), primary_key=True),
        sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("route", sa.String(128), primary_key=True),
        sa.Column("event_us", sa.BigInteger, nullable=False),
        sa.Column("score", sa.Double),
        sa.Column("window_us", sa.BigInteger, nullable=False),
        sa.Column("seen_at", UtcTime, nullable=False, index=True),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "label",
        sa.Column("endpoint", sa.String(128), primary_key=True),
        sa.Column("prediction_id", sa.String(256), primary_key=True),
        sa.Column("value", sa.Double, nullable=False),
        sa.Column("time_us", sa.BigInteger, nullable=False),
        sa.Column("source", sa.String(128), nullable=False),
        sa.Column("joined", sa.Boolean, nullable=False),
        sa.Column("seen_at", UtcTime, nullable=False, index=True),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "label_tally",
        sa.Column("endpoint", sa.String(128), primary_key=True),
        *(
            sa.Column(name, sa.BigInteger, nullable=False)
            for name in ("recorded", "corrected", "repeated", "ignored", "joined", "expired")
        ),
    )


def _performance_windows() -> None:
    op.create_table(
        "performance_window",
        sa.Column("start_us", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("endpoint", sa.String(128), primary_key=True),
        sa.Column("model", sa.String(128), primary_key=True),
        sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("route", sa.String(128), primary_key=True),
        sa.Column("end_us", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("predictions", sa.BigInteger, nullable=False),
        sa.Column("joined", sa.BigInteger, nullable=False),
        sa.Column("delay_us", sa.String(400), nullable=False),
        sa.Column("newest_label_us", sa.BigInteger),
        sa.Column("log_loss", sa.String(400), nullable=False),
        sa.Column("brier", sa.String(400), nullable=False),
        sa.Column("measured", sa.BigInteger, nullable=False),
        sa.Column("absolute", sa.String(400), nullable=False),
        sa.Column("squared", sa.String(400), nullable=False),
        sa.Column("bins", Json, nullable=False),
    )
    op.create_index("ix_performance_window_endpoint", "performance_window", ["endpoint", "start_us"])
