"""The newest rows that came by call alone."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the table; what was pushed before is in the online store alone."""
    op.create_table(
        "pushed_row",
        sa.Column("view", sa.String(128), primary_key=True),
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("key", sa.LargeBinary, nullable=False),
        sa.Column("event_time_us", sa.BigInteger, nullable=False),
        sa.Column("fields", sa.LargeBinary, nullable=False),
        sa.Column("packed", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
