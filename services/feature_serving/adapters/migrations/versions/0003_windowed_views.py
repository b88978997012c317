"""Windowed views: where a view's rows lie and what makes its features, partial aggregates a hop, the inbox."""

import sqlalchemy as sa
from alembic import op

from slipway.events import inbox
from slipway.sql import Json

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the columns and make the tables."""
    op.add_column("feature_view", sa.Column("entity_types", Json))
    op.add_column("feature_view", sa.Column("source", Json))
    op.add_column("feature_view", sa.Column("aggregations", Json))
    op.add_column("feature_view", sa.Column("hop_us", sa.BigInteger))
    op.add_column("watermark", sa.Column("complete_us", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("watermark", sa.Column("late_rows", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("watermark", sa.Column("version", sa.BigInteger, nullable=False, server_default="0"))
    op.create_table(
        "window_tile",
        sa.Column("view", sa.String(128), primary_key=True),
        sa.Column("start_us", sa.BigInteger, primary_key=True),
        sa.Column("entity", sa.LargeBinary, primary_key=True),
        sa.Column("column_name", sa.String(128), primary_key=True),
        sa.Column("count", sa.Double, nullable=False),
        sa.Column("total", sa.Double, nullable=False),
        sa.Column("squares", sa.Double, nullable=False),
        sa.Column("least", sa.Double, nullable=False),
        sa.Column("greatest", sa.Double, nullable=False),
    )
    inbox.create(op)
