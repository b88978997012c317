"""What an endpoint is beside its routes, and its revisions."""

import sqlalchemy as sa
from alembic import op

from slipway.sql import Json, UtcTime

revision = "0004"
down_revision = "0003"

_ENDPOINT = sa.table(
    "endpoint",
    sa.column("name", sa.String),
    sa.column("revision", sa.BigInteger),
    sa.column("update_time", UtcTime),
    sa.column("deleted", sa.Boolean),
)
_ROUTE = sa.table(
    "route",
    sa.column("endpoint", sa.String),
    sa.column("position", sa.Integer),
    sa.column("name", sa.String),
    sa.column("model", sa.String),
    sa.column("version", sa.BigInteger),
    sa.column("alias", sa.String),
    sa.column("weight", sa.BigInteger),
    sa.column("resolved", sa.BigInteger),
    sa.column("shadow", sa.Boolean),
)


def upgrade() -> None:
    """Add them; the first revision that is kept of an endpoint is how it stands."""
    op.add_column("endpoint", sa.Column("settings", Json))
    kept = op.create_table(
        "endpoint_revision",
        sa.Column("endpoint", sa.String(128), primary_key=True),
        sa.Column("revision", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("time", UtcTime, nullable=False),
        sa.Column("cause", sa.String(32), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("rollout_id", sa.String(64), nullable=False),
        sa.Column("spec", Json),
    )
    connection = op.get_bind()
    arms: dict[str, list[dict[str, object]]] = {}
    for row in connection.execute(sa.select(_ROUTE).order_by(_ROUTE.c.endpoint, _ROUTE.c.position)):
        arms.setdefault(row.endpoint, []).append(
            {
                "name": row.name,
                "target": {"model": row.model, "version": row.version, "alias": row.alias},
                "weight": row.weight,
                "resolved": row.resolved,
                "shadow": row.shadow,
            }
        )
    told = "as it stood when revisions began to be kept"
    for row in connection.execute(sa.select(_ENDPOINT).where(_ENDPOINT.c.deleted.is_(False))).all():
        spec = {"routes": arms.get(row.name, [])}
        values = {"endpoint": row.name, "revision": row.revision, "time": row.update_time, "spec": spec}
        op.bulk_insert(kept, [{**values, "cause": "PUT", "reason": told, "rollout_id": ""}])
