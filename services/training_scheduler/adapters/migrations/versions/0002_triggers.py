"""What starts runs: triggers, the incident of a run, the inbox."""

import sqlalchemy as sa
from alembic import op

from slipway.events import inbox
from slipway.sql import Json, UtcTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables; runs that are there were submitted by somebody."""
    op.add_column("run", sa.Column("incident_id", sa.String(128), nullable=False, server_default=""))
    op.create_table(
        "trigger_rule",
        sa.Column("name", sa.String(128), primary_key=True),
        sa.Column("endpoint", sa.String(128), nullable=False, index=True),
        sa.Column("workflow", sa.String(128), nullable=False),
        sa.Column("params", Json, nullable=False),
        sa.Column("cutoff_param", sa.String(128), nullable=False),
        sa.Column("cool_down_us", sa.BigInteger, nullable=False),
        sa.Column("last_incident_id", sa.String(128), nullable=False),
        sa.Column("last_trigger_time", UtcTime),
        sa.Column("last_run_id", sa.String(32), nullable=False),
    )
    inbox.create(op)
