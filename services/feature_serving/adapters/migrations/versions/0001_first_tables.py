"""Feature views and their features."""

import sqlalchemy as sa
from alembic import op

from slipway.sql import Json, UtcTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "feature_view",
        sa.Column("name", sa.String(128), primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("entities", Json, nullable=False),
        sa.Column("max_age_us", sa.BigInteger),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("update_time", UtcTime, nullable=False),
    )
    op.create_table(
        "feature",
        sa.Column("view", sa.String(128), primary_key=True),
        sa.Column("name", sa.String(128), primary_key=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("type", sa.String(16), nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["view"], ["feature_view.name"]),
    )
