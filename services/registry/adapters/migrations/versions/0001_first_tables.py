"""Models, versions, aliases, endpoints, routes, the desired state's revision, the outbox."""

import sqlalchemy as sa
from alembic import op

from slipway.events import outbox
from slipway.sql import Json, UtcTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "model",
        sa.Column("name", sa.String(128), primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("create_time", UtcTime, nullable=False),
        sa.Column("latest_version", sa.Integer, nullable=False),
    )
    op.create_table(
        "model_version",
        sa.Column("model", sa.String(128), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("request_id", sa.String(128), nullable=False, unique=True),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("artifact_digest", sa.String(71), nullable=False),
        sa.Column("artifact_size", sa.BigInteger, nullable=False),
        sa.Column("signature", Json, nullable=False),
        sa.Column("metrics", Json, nullable=False),
        sa.Column("params", Json, nullable=False),
        sa.Column("lineage", Json, nullable=False),
        sa.Column("create_time", UtcTime, nullable=False),
        sa.ForeignKeyConstraint(["model"], ["model.name"]),
    )
    op.create_table(
        "alias",
        sa.Column("model", sa.String(128), primary_key=True),
        sa.Column("name", sa.String(128), primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("update_time", UtcTime, nullable=False),
        sa.ForeignKeyConstraint(["model", "version"], ["model_version.model", "model_version.number"]),
    )
    op.create_table(
        "endpoint",
        sa.Column("name", sa.String(128), primary_key=True),
        sa.Column("revision", sa.BigInteger, nullable=False, index=True),
        sa.Column("update_time", UtcTime, nullable=False),
        sa.Column("deleted", sa.Boolean, nullable=False),
    )
    op.create_table(
        "route",
        sa.Column("endpoint", sa.String(128), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("model", sa.String(128), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("alias", sa.String(128), nullable=False),
        sa.Column("weight", sa.Integer, nullable=False),
        sa.Column("resolved", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(["endpoint"], ["endpoint.name"]),
        sa.ForeignKeyConstraint(["model", "resolved"], ["model_version.model", "model_version.number"]),
    )
    desired_state = op.create_table(
        "desired_state",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(desired_state, [{"id": 1, "revision": 0}])
    outbox.create(op)
