"""The catalogue in SQL."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import delete, insert, select, update

from services.registry.adapters import tables
from services.registry.adapters.endpoint_rows import route_columns, settings_of, spec_columns
from services.registry.adapters.rollout_rows import move_columns, rollout_columns
from services.registry.adapters.rows import draft_columns
from services.registry.adapters.sql_reader import SqlReader
from services.registry.codec import encode_change
from services.registry.domain.changes import Change
from services.registry.domain.endpoint import Endpoint, EndpointSpec
from services.registry.domain.history import AliasMove
from services.registry.domain.model import Alias, Draft, Model, ModelVersion
from services.registry.domain.revision import MAX_KEPT, Why
from services.registry.domain.rollout import Rollout
from slipway.events import Event
from slipway.events.inbox import Inbox
from slipway.events.outbox import Outbox
from slipway.paging import Page
from slipway.sql import Database, Migrations, Transactions

MIGRATIONS = Migrations("services.registry.adapters.migrations", "slipway-registry migrate")
SOURCE = "slipway/registry"
GROUP = "registry"


class SqlWriter(SqlReader):
    """The writing transaction."""

    async def add_model(self, model: Model) -> None:
        """See Writer."""
        await self._connection.execute(
            insert(tables.model).values(
                name=model.name,
                owner=model.owner,
                description=model.description,
                create_time=model.create_time,
                latest_version=0,
            )
        )

    async def add_version(self, draft: Draft, request_id: str, fingerprint: str, now: datetime) -> ModelVersion:
        """See Writer."""
        table = tables.model
        raised = await self._connection.execute(
            update(table)
            .where(table.c.name == draft.model)
            .values(latest_version=table.c.latest_version + 1)
            .returning(table.c.latest_version)
        )
        number = int(raised.scalar_one())
        await self._connection.execute(
            insert(tables.model_version).values(
                number=number, request_id=request_id, fingerprint=fingerprint, create_time=now, **draft_columns(draft)
            )
        )
        return ModelVersion(number, draft, now)

    async def put_alias(self, alias: Alias) -> None:
        """See Writer."""
        await self.delete_alias(alias.model, alias.name)
        await self._connection.execute(
            insert(tables.alias).values(
                model=alias.model, name=alias.name, version=alias.version, update_time=alias.update_time
            )
        )

    async def delete_alias(self, model: str, name: str) -> None:
        """See Writer."""
        await self._connection.execute(
            delete(tables.alias).where(tables.alias.c.model == model, tables.alias.c.name == name)
        )

    async def add_alias_move(self, move: AliasMove) -> None:
        """See Writer."""
        await self._connection.execute(insert(tables.alias_move).values(move_columns(move)))

    async def put_endpoint(self, name: str, spec: EndpointSpec, why: Why, now: datetime) -> Endpoint:
        """See Writer."""
        revision = await self._replace_endpoint(name, spec, why, now)
        rows = [route_columns(name, position, route) for position, route in enumerate(spec.routes)]
        await self._connection.execute(insert(tables.route), rows)
        latest = await self.rollouts(name, Page(1, None))
        return Endpoint(name, spec, revision, now, latest[0] if latest else None)

    async def delete_endpoint(self, name: str, why: Why, now: datetime) -> None:
        """See Writer."""
        await self._replace_endpoint(name, None, why, now)

    async def _replace_endpoint(self, name: str, spec: EndpointSpec | None, why: Why, now: datetime) -> int:
        state = tables.desired_state
        raised = await self._connection.execute(
            update(state).values(revision=state.c.revision + 1).returning(state.c.revision)
        )
        revision = int(raised.scalar_one())
        await self._connection.execute(delete(tables.route).where(tables.route.c.endpoint == name))
        await self._connection.execute(delete(tables.endpoint).where(tables.endpoint.c.name == name))
        settings = settings_of(spec) if spec else None
        row = {"name": name, "revision": revision, "update_time": now, "deleted": spec is None, "settings": settings}
        await self._connection.execute(insert(tables.endpoint).values(row))
        await self._keep(name, revision, spec, why, now)
        return revision

    async def _keep(self, name: str, revision: int, spec: EndpointSpec | None, why: Why, now: datetime) -> None:
        table = tables.endpoint_revision
        row = {"endpoint": name, "revision": revision, "time": now, "spec": spec_columns(spec) if spec else None}
        told = {"cause": why.cause.value, "reason": why.reason, "rollout_id": why.rollout_id}
        await self._connection.execute(insert(table).values(row | told))
        of_it = table.c.endpoint == name
        old = select(table.c.revision).where(of_it).order_by(table.c.revision.desc()).offset(MAX_KEPT).limit(1)
        await self._connection.execute(delete(table).where(of_it, table.c.revision <= old.scalar_subquery()))

    async def add_rollout(self, rollout: Rollout, request_id: str, fingerprint: str) -> None:
        """See Writer."""
        row = {**rollout_columns(rollout), "request_id": request_id, "fingerprint": fingerprint}
        await self._connection.execute(insert(tables.rollout).values(row))

    async def update_rollout(self, rollout: Rollout) -> None:
        """See Writer."""
        table = tables.rollout
        await self._connection.execute(update(table).where(table.c.id == rollout.id).values(rollout_columns(rollout)))

    async def claim(self, event_ids: Sequence[str], now: datetime) -> set[str]:
        """See Writer."""
        return await Inbox.claim(self._connection, GROUP, event_ids, now=now)

    async def forget(self, before: datetime) -> int:
        """See Writer."""
        return await Inbox.forget(self._connection, before)

    async def announce(self, change: Change, now: datetime) -> None:
        """See Writer."""
        topic, key, kind, value = encode_change(change)
        event = Event(uuid.uuid4().hex, topic, key, kind, SOURCE, now, value)
        await Outbox.add(self._connection, [event])


class SqlCatalogue(Transactions[SqlReader, SqlWriter]):
    """The catalogue in one SQL database; ``committed`` is called after each transaction."""

    def __init__(self, database: Database, committed: Callable[[], None]) -> None:
        super().__init__(database, SqlReader, SqlWriter, committed)
