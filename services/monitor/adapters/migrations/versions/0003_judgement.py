"""Baselines, endpoints, feature windows, progress, streaks, incidents, trials, verdicts, the outbox."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from slipway.events import outbox
from slipway.sql import Json, UtcTime

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables; what was counted before has no feature windows, and is not judged."""
    _registered()
    _windows()
    _incidents()
    _trials()
    outbox.create(op)


def _name(name: str, *, key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(128), primary_key=key, nullable=False)


def _whole(name: str, *, key: bool = False, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, primary_key=key, autoincrement=False, nullable=nullable)


def _position() -> sa.Column[Any]:
    return sa.Column("position", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True)


def _registered() -> None:
    op.create_table(
        "baseline", _name("model", key=True), _whole("version", key=True), sa.Column("body", Json, nullable=False)
    )
    op.create_table("endpoint", _name("name", key=True), _whole("revision"), sa.Column("body", Json, nullable=False))


def _windows() -> None:
    op.create_table(
        "progress",
        _name("endpoint", key=True),
        *(_whole(name, nullable=True) for name in ("predictions_us", "labels_us", "judged_us")),
    )
    op.create_table(
        "feature_window",
        _whole("start_us", key=True),
        _name("endpoint", key=True),
        _name("model", key=True),
        _whole("version", key=True),
        _whole("end_us", key=True),
        _whole("rows"),
        sa.Column("counts", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_feature_window_endpoint", "feature_window", ["endpoint", "start_us"])
    op.create_table(
        "streak",
        _name("endpoint", key=True),
        _name("model", key=True),
        _whole("version", key=True),
        sa.Column("kind", sa.String(32), primary_key=True),
        *(_whole(name) for name in ("bad", "good", "start_us")),
        sa.Column("causes", Json, nullable=False),
    )


def _incidents() -> None:
    op.create_table(
        "incident",
        _position(),
        sa.Column("id", sa.String(64), nullable=False, unique=True),
        _name("endpoint"),
        _name("model"),
        _whole("version"),
        sa.Column("kind", sa.String(32), nullable=False),
        _whole("start_us"),
        _whole("trigger_us"),
        sa.Column("harm", Json, nullable=False),
        sa.Column("causes", Json, nullable=False),
        sa.Column("create_time", UtcTime, nullable=False),
        sa.Column("close_time", UtcTime),
        sa.Column("close_reason", sa.Text, nullable=False),
    )
    op.create_index("ix_incident_endpoint", "incident", ["endpoint", "position"])


def _trials() -> None:
    op.create_table(
        "trial",
        _name("endpoint", key=True),
        _name("rollout_id", key=True),
        _whole("step", key=True),
        sa.Column("running", sa.Boolean, nullable=False),
        sa.Column("body", Json, nullable=False),
        _whole("labels"),
        sa.Column("total", sa.String(400), nullable=False),
        sa.Column("squared", sa.String(400), nullable=False),
        _whole("newest_label_us", nullable=True),
        sa.Column("candidate_bins", Json, nullable=False),
        sa.Column("baseline_bins", Json, nullable=False),
    )
    op.create_table(
        "verdict",
        _position(),
        _name("endpoint"),
        _name("rollout_id"),
        _whole("step"),
        sa.Column("decision", sa.String(32), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        _whole("labels"),
        *(sa.Column(name, sa.Double, nullable=False) for name in ("mean", "lower", "upper")),
        *(sa.Column(name, sa.Double) for name in ("candidate_auc", "baseline_auc")),
        _whole("event_us"),
        sa.Column("create_time", UtcTime, nullable=False),
    )
    op.create_index("ux_verdict_step", "verdict", ["endpoint", "rollout_id", "step"], unique=True)
