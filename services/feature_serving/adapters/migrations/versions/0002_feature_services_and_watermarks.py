"""Feature services and watermarks."""

import sqlalchemy as sa
from alembic import op

from slipway.sql import UtcTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "feature_service",
        sa.Column("name", sa.String(128), primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("update_time", UtcTime, nullable=False),
    )
    op.create_table(
        "feature_service_feature",
        sa.Column("service", sa.String(128), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("view", sa.String(128), nullable=False, index=True),
        sa.Column("feature", sa.String(128), nullable=False),
        sa.ForeignKeyConstraint(["service"], ["feature_service.name"]),
    )
    op.create_table(
        "watermark",
        sa.Column("view", sa.String(128), primary_key=True),
        sa.Column("event_time_us", sa.BigInteger, nullable=False),
        sa.Column("update_time", UtcTime, nullable=False),
    )
