"""What features read as where they have no value."""

import sqlalchemy as sa
from alembic import op

from slipway.sql import Json

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the column; features of before have no fallback."""
    op.add_column("feature", sa.Column("fallback", Json))
