"""Training sets, and the requests that asked for them."""

import sqlalchemy as sa
from alembic import op

from slipway.sql import Json, UtcTime

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "training_set",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("id", sa.String(32), nullable=False, unique=True),
        sa.Column("mark", sa.String(64), nullable=False, index=True),
        sa.Column("recipe", Json, nullable=False),
        sa.Column("state", sa.String(16), nullable=False, index=True),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("contents", Json),
        sa.Column("create_time", UtcTime, nullable=False),
        sa.Column("finish_time", UtcTime),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "training_set_request",
        sa.Column("request_id", sa.String(128), primary_key=True),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("training_set", sa.String(32), nullable=False),
        sa.ForeignKeyConstraint(["training_set"], ["training_set.id"]),
    )
