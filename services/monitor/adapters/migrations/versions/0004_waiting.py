"""Features that wait for the baseline of their version."""

import sqlalchemy as sa
from alembic import op

from slipway.sql import UtcTime

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the table; what was counted before without a baseline has no feature windows, and is not judged."""
    op.create_table(
        "waiting_batch",
        sa.Column("event_id", sa.Text, primary_key=True),
        sa.Column("endpoint", sa.String(128), nullable=False),
        sa.Column("model", sa.String(128), nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("window_us", sa.BigInteger, nullable=False),
        sa.Column("seen_at", UtcTime, nullable=False, index=True),
        sa.Column("value", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_waiting_batch_version", "waiting_batch", ["model", "version", "endpoint"])
