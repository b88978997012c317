"""The catalogue in SQL."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, func, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.adapters import tables
from services.registry.adapters.rollout_rows import move_columns, move_of, rollout_columns, rollout_of
from services.registry.adapters.rows import (
    alias_of,
    draft_columns,
    endpoint_of,
    model_of,
    route_columns,
    version_of,
)
from services.registry.codec import encode_change
from services.registry.domain.changes import Change
from services.registry.domain.endpoint import Endpoint, Route
from services.registry.domain.history import AliasMove
from services.registry.domain.model import Alias, Draft, Model, ModelVersion
from services.registry.domain.rollout import Rollout
from slipway.events import Event
from slipway.events.inbox import Inbox
from slipway.events.outbox import Outbox
from slipway.paging import Page
from slipway.sql import Database, Migrations, Transactions

MIGRATIONS = Migrations("services.registry.adapters.migrations", "slipway-registry migrate")
SOURCE = "slipway/registry"
GROUP = "registry"


class SqlReader:
    """One snapshot of the catalogue."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def _all(self, query: Select[Any]) -> Sequence[Any]:
        rows: Sequence[Any] = (await self._connection.execute(query)).all()
        return rows

    async def model(self, name: str) -> Model | None:
        """See Reader."""
        found = await self._models(select(tables.model).where(tables.model.c.name == name))
        return found[0] if found else None

    async def models(self, page: Page) -> Sequence[Model]:
        """See Reader."""
        query = select(tables.model).order_by(tables.model.c.name).limit(page.fetch)
        if page.after:
            query = query.where(tables.model.c.name > page.after[0])
        return await self._models(query)

    async def _models(self, query: Select[Any]) -> Sequence[Model]:
        rows = await self._all(query)
        pointers = await self._all(
            select(tables.alias)
            .where(tables.alias.c.model.in_([row.name for row in rows]))
            .order_by(tables.alias.c.name)
        )
        aliases = defaultdict(list)
        for pointer in pointers:
            aliases[pointer.model].append(alias_of(pointer))
        return [model_of(row, aliases[row.name]) for row in rows]

    async def version(self, model: str, number: int) -> ModelVersion | None:
        """See Reader."""
        table = tables.model_version
        rows = await self._all(select(table).where(table.c.model == model, table.c.number == number))
        return version_of(rows[0]) if rows else None

    async def versions(self, model: str, page: Page) -> Sequence[ModelVersion]:
        """See Reader."""
        table = tables.model_version
        query = select(table).where(table.c.model == model).order_by(table.c.number.desc()).limit(page.fetch)
        if page.after:
            query = query.where(table.c.number < page.after[0])
        return [version_of(row) for row in await self._all(query)]

    async def registration(self, request_id: str) -> tuple[ModelVersion, str] | None:
        """See Reader."""
        rows = await self._all(select(tables.model_version).where(tables.model_version.c.request_id == request_id))
        return (version_of(rows[0]), rows[0].fingerprint) if rows else None

    async def alias(self, model: str, name: str) -> Alias | None:
        """See Reader."""
        rows = await self._all(select(tables.alias).where(tables.alias.c.model == model, tables.alias.c.name == name))
        return alias_of(rows[0]) if rows else None

    async def alias_moves(self, model: str, name: str) -> Sequence[AliasMove]:
        """See Reader."""
        table = tables.alias_move
        query = select(table).where(table.c.model == model, table.c.alias == name).order_by(table.c.position)
        return [move_of(row) for row in await self._all(query)]

    async def endpoint(self, name: str) -> Endpoint | None:
        """See Reader."""
        table = tables.endpoint
        found = await self._endpoints(select(table).where(table.c.name == name, table.c.deleted.is_(False)))
        return found[0] if found else None

    async def endpoints(self, page: Page) -> Sequence[Endpoint]:
        """See Reader."""
        table = tables.endpoint
        query = select(table).where(table.c.deleted.is_(False)).order_by(table.c.name).limit(page.fetch)
        if page.after:
            query = query.where(table.c.name > page.after[0])
        return await self._endpoints(query)

    async def endpoints_following(self, model: str, alias: str) -> Sequence[Endpoint]:
        """See Reader."""
        following = select(tables.route.c.endpoint).where(tables.route.c.model == model, tables.route.c.alias == alias)
        table = tables.endpoint
        query = select(table).where(table.c.name.in_(following), table.c.deleted.is_(False)).order_by(table.c.name)
        return await self._endpoints(query)

    async def endpoints_since(self, revision: int) -> tuple[Sequence[Endpoint], Sequence[str]]:
        """See Reader."""
        table = tables.endpoint
        changed = select(table).where(table.c.revision > revision).order_by(table.c.revision)
        alive = await self._endpoints(changed.where(table.c.deleted.is_(False)))
        gone = await self._all(changed.where(table.c.deleted.is_(True)))
        return alive, [row.name for row in gone]

    async def _endpoints(self, query: Select[Any]) -> Sequence[Endpoint]:
        rows = await self._all(query)
        names = query.with_only_columns(tables.endpoint.c.name).subquery()
        arms = defaultdict(list)
        for arm in await self._all(select(tables.route).join(names, tables.route.c.endpoint == names.c.name)):
            arms[arm.endpoint].append(arm)
        table = tables.rollout
        latest = (
            select(table.c.endpoint, func.max(table.c.number))
            .join(names, table.c.endpoint == names.c.name)
            .group_by(table.c.endpoint)
        )
        rollouts = await self._all(select(table).where(tuple_(table.c.endpoint, table.c.number).in_(latest)))
        latest_of = {row.endpoint: row for row in rollouts}
        return [endpoint_of(row, arms[row.name], latest_of.get(row.name)) for row in rows]

    async def rollout(self, rollout_id: str) -> Rollout | None:
        """See Reader."""
        rows = await self._all(select(tables.rollout).where(tables.rollout.c.id == rollout_id))
        return rollout_of(rows[0]) if rows else None

    async def rollouts(self, endpoint: str, page: Page) -> Sequence[Rollout]:
        """See Reader."""
        table = tables.rollout
        query = select(table).where(table.c.endpoint == endpoint).order_by(table.c.number.desc()).limit(page.fetch)
        if page.after:
            query = query.where(table.c.number < page.after[0])
        return [rollout_of(row) for row in await self._all(query)]

    async def rollout_request(self, request_id: str) -> tuple[Rollout, str] | None:
        """See Reader."""
        rows = await self._all(select(tables.rollout).where(tables.rollout.c.request_id == request_id))
        return (rollout_of(rows[0]), rows[0].fingerprint) if rows else None

    async def revision(self) -> int:
        """See Reader."""
        rows = await self._all(select(tables.desired_state.c.revision))
        return int(rows[0].revision)


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

    async def put_endpoint(self, name: str, routes: Sequence[Route], now: datetime) -> Endpoint:
        """See Writer."""
        revision = await self._replace_endpoint(name, now, deleted=False)
        rows = [route_columns(name, position, route) for position, route in enumerate(routes)]
        await self._connection.execute(insert(tables.route), rows)
        latest = await self.rollouts(name, Page(1, None))
        return Endpoint(name, tuple(routes), revision, now, latest[0] if latest else None)

    async def delete_endpoint(self, name: str, now: datetime) -> None:
        """See Writer."""
        await self._replace_endpoint(name, now, deleted=True)

    async def _replace_endpoint(self, name: str, now: datetime, *, deleted: bool) -> int:
        state = tables.desired_state
        raised = await self._connection.execute(
            update(state).values(revision=state.c.revision + 1).returning(state.c.revision)
        )
        revision = int(raised.scalar_one())
        await self._connection.execute(delete(tables.route).where(tables.route.c.endpoint == name))
        await self._connection.execute(delete(tables.endpoint).where(tables.endpoint.c.name == name))
        await self._connection.execute(
            insert(tables.endpoint).values(name=name, revision=revision, update_time=now, deleted=deleted)
        )
        return revision

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
