"""Runs, their steps and attempts, the outbox."""

import sqlalchemy as sa
from alembic import op

from slipway.events import outbox
from slipway.sql import Json, UtcTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "run",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("id", sa.String(32), nullable=False, unique=True),
        sa.Column("request_id", sa.String(128), nullable=False, unique=True),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("workflow", sa.String(128), nullable=False, index=True),
        sa.Column("code_digest", sa.String(71), nullable=False),
        sa.Column("params", Json, nullable=False),
        sa.Column("state", sa.String(16), nullable=False, index=True),
        sa.Column("create_time", UtcTime, nullable=False),
        sa.Column("finish_time", UtcTime),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "step",
        sa.Column("run_id", sa.String(32), primary_key=True),
        sa.Column("name", sa.String(128), primary_key=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("finish_time", UtcTime),
        sa.Column("output_digest", sa.String(71), nullable=False),
        sa.Column("summary", Json),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"]),
    )
    op.create_table(
        "attempt",
        sa.Column("token", sa.String(32), primary_key=True),
        sa.Column("run_id", sa.String(32), nullable=False),
        sa.Column("step", sa.String(128), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("start_time", UtcTime, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.UniqueConstraint("run_id", "step", "number"),
        sa.ForeignKeyConstraint(["run_id", "step"], ["step.run_id", "step.name"]),
    )
    outbox.create(op)
