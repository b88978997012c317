"""One snapshot of the catalogue in SQL."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.adapters import tables
from services.registry.adapters.endpoint_rows import endpoint_of, revision_of
from services.registry.adapters.rollout_rows import move_of, rollout_of
from services.registry.adapters.rows import alias_of, model_of, version_of
from services.registry.domain.endpoint import Endpoint
from services.registry.domain.history import AliasMove
from services.registry.domain.model import Alias, Model, ModelVersion
from services.registry.domain.revision import EndpointRevision
from services.registry.domain.rollout import Rollout
from slipway.paging import Page


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
        return await self._endpoints_with(tables.route.c.model == model, tables.route.c.alias == alias)

    async def endpoints_with(self, route: str) -> Sequence[Endpoint]:
        """See Reader."""
        return await self._endpoints_with(tables.route.c.name == route)

    async def _endpoints_with(self, *route: ColumnElement[bool]) -> Sequence[Endpoint]:
        table, names = tables.endpoint, select(tables.route.c.endpoint).where(*route)
        query = select(table).where(table.c.name.in_(names), table.c.deleted.is_(False)).order_by(table.c.name)
        return await self._endpoints(query)

    async def endpoint_revision(self, endpoint: str, revision: int) -> EndpointRevision | None:
        """See Reader."""
        table = tables.endpoint_revision
        rows = await self._all(select(table).where(table.c.endpoint == endpoint, table.c.revision == revision))
        return revision_of(rows[0]) if rows else None

    async def endpoint_revisions(self, endpoint: str, page: Page) -> Sequence[EndpointRevision]:
        """See Reader."""
        table = tables.endpoint_revision
        query = select(table).where(table.c.endpoint == endpoint).order_by(table.c.revision.desc()).limit(page.fetch)
        if page.after:
            query = query.where(table.c.revision < page.after[0])
        return [revision_of(row) for row in await self._all(query)]

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
