"""Baselines, shadow arms, rollouts, where aliases have pointed, the inbox."""

import sqlalchemy as sa
from alembic import op

from slipway.events import inbox
from slipway.sql import Json, UtcTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add them; an alias that is there has pointed nowhere else before."""
    op.add_column("model_version", sa.Column("baseline", Json))
    op.add_column("route", sa.Column("shadow", sa.Boolean, nullable=False, server_default=sa.false()))
    _alias_moves()
    op.create_table(
        "rollout",
        sa.Column("endpoint", sa.String(128), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("id", sa.String(64), nullable=False, unique=True),
        sa.Column("request_id", sa.String(128), nullable=False, unique=True),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("model", sa.String(128), nullable=False),
        sa.Column("candidate_version", sa.Integer, nullable=False),
        sa.Column("baseline_version", sa.Integer, nullable=False),
        sa.Column("alias", sa.String(128), nullable=False),
        sa.Column("main_route", sa.String(128), nullable=False),
        sa.Column("main_weight", sa.Integer, nullable=False),
        sa.Column("plan", Json, nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("create_time", UtcTime, nullable=False),
        sa.Column("update_time", UtcTime, nullable=False),
        sa.Column("start_revision", sa.BigInteger, nullable=False),
        sa.Column("start_event_time", UtcTime),
        sa.ForeignKeyConstraint(["model", "candidate_version"], ["model_version.model", "model_version.number"]),
    )
    inbox.create(op)


def _alias_moves() -> None:
    op.create_table(
        "alias_move",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("model", sa.String(128), nullable=False),
        sa.Column("alias", sa.String(128), nullable=False),
        sa.Column("from_version", sa.Integer, nullable=False),
        sa.Column("to_version", sa.Integer, nullable=False),
        sa.Column("time", UtcTime, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("rollback", sa.Boolean, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("alias_move_by_alias", "alias_move", ["model", "alias", "position"])
    op.execute(
        "INSERT INTO alias_move (model, alias, from_version, to_version, time, reason, rollback) "
        "SELECT model, name, 0, version, update_time, '', false FROM alias ORDER BY update_time"
    )
