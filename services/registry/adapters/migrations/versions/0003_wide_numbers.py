"""Numbers of versions, and what counts like them, as wide as the contract's on PostgreSQL; SQLite's are."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_NARROW = {
    "model": ("latest_version",),
    "model_version": ("number",),
    "alias": ("version",),
    "alias_move": ("from_version", "to_version"),
    "route": ("version", "weight", "resolved"),
    "rollout": ("number", "candidate_version", "baseline_version", "main_weight", "step"),
}


def upgrade() -> None:
    """Widen them: a caller may ask for any 32-bit number, and one more than half of those did not fit."""
    if op.get_context().dialect.name != "postgresql":
        return
    for table, columns in _NARROW.items():
        for column in columns:
            op.alter_column(table, column, type_=sa.BigInteger)
