"""Prediction windows, the inbox."""

import sqlalchemy as sa
from alembic import op

from slipway.events import inbox

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "prediction_window",
        sa.Column("start_us", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("endpoint", sa.String(128), primary_key=True),
        sa.Column("model", sa.String(128), primary_key=True),
        sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("route", sa.String(128), primary_key=True),
        sa.Column("end_us", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("predictions", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_prediction_window_endpoint", "prediction_window", ["endpoint", "start_us"])
    inbox.create(op)
