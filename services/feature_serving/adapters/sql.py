"""The feature catalogue in SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, Select, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.feature_serving.adapters import services, tables
from services.feature_serving.domain.service import FeatureService, Reference
from services.feature_serving.domain.status import Status
from services.feature_serving.domain.view import (
    Aggregation,
    Definition,
    Fallback,
    Feature,
    FeatureView,
    Function,
    Source,
    ValueType,
)
from slipway.paging import Page
from slipway.sql import Database, Migrations, Transactions

MIGRATIONS = Migrations("services.feature_serving.adapters.migrations", "slipway-features migrate")

_MICROSECOND = timedelta(microseconds=1)


class SqlReader:
    """One snapshot of the catalogue."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def named(self, names: Sequence[str]) -> Mapping[str, FeatureView]:
        """See Reader."""
        found = await self._views(select(tables.feature_view).where(tables.feature_view.c.name.in_(names)))
        return {view.name: view for view in found}

    async def views(self, page: Page) -> Sequence[FeatureView]:
        """See Reader."""
        name = tables.feature_view.c.name
        query = select(tables.feature_view).order_by(name).limit(page.fetch)
        if page.after:
            query = query.where(name > page.after[0])
        return await self._views(query)

    async def services_named(self, names: Sequence[str]) -> Mapping[str, FeatureService]:
        """See Reader."""
        return await services.named(self._connection, names)

    async def services(self, page: Page) -> Sequence[FeatureService]:
        """See Reader."""
        return await services.page(self._connection, page)

    async def users(self, views: Sequence[str]) -> Mapping[Reference, str]:
        """See Reader."""
        return await services.users(self._connection, views)

    async def _views(self, query: Select[Any]) -> Sequence[FeatureView]:
        rows = (await self._connection.execute(query)).all()
        of_views = (
            select(tables.feature)
            .where(tables.feature.c.view.in_([row.name for row in rows]))
            .order_by(tables.feature.c.view, tables.feature.c.position)
        )
        features: dict[str, list[Feature]] = {row.name: [] for row in rows}
        for row in await self._connection.execute(of_views):
            features[row.view].append(_feature_of(row))
        return [_view_of(row, features[row.name]) for row in rows]


class SqlWriter(SqlReader):
    """The writing transaction."""

    async def put(self, view: FeatureView) -> None:
        """See Writer."""
        definition = view.definition
        await self._connection.execute(delete(tables.feature).where(tables.feature.c.view == view.name))
        await self._connection.execute(delete(tables.feature_view).where(tables.feature_view.c.name == view.name))
        await self._connection.execute(
            insert(tables.feature_view).values(
                name=view.name,
                owner=definition.owner,
                description=definition.description,
                entities=list(definition.entities),
                max_age_us=None if definition.max_age is None else definition.max_age // _MICROSECOND,
                revision=view.revision,
                update_time=view.update_time,
                entity_types=[one.value for one in definition.entity_types],
                source=None if definition.source is None else asdict(definition.source),
                aggregations=[_aggregation_row(one) for one in definition.aggregations],
                hop_us=None if definition.hop is None else definition.hop // _MICROSECOND,
            )
        )
        rows = [_feature_row(view.name, n, one) for n, one in enumerate(definition.features)]
        await self._connection.execute(insert(tables.feature), rows)

    async def put_service(self, service: FeatureService) -> None:
        """See Writer."""
        await services.put(self._connection, service)


class SqlCatalogue(Transactions[SqlReader, SqlWriter]):
    """The catalogue in one SQL database."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, SqlReader, SqlWriter)


def _view_of(row: Row[Any], features: Sequence[Feature]) -> FeatureView:
    definition = Definition(
        name=row.name,
        owner=row.owner,
        description=row.description,
        entities=tuple(row.entities),
        features=tuple(features),
        max_age=None if row.max_age_us is None else row.max_age_us * _MICROSECOND,
        # Rows from before these columns hold NULL in them.
        entity_types=tuple(ValueType(one) for one in row.entity_types or ()),
        source=Source(**row.source) if row.source else None,
        aggregations=tuple(_aggregation_of(one) for one in row.aggregations or ()),
        hop=None if row.hop_us is None else row.hop_us * _MICROSECOND,
    )
    return FeatureView(definition, row.revision, row.update_time)


def _feature_row(view: str, position: int, one: Feature) -> Mapping[str, Any]:
    fallback = one.fallback and {"value": one.fallback.value, "for": sorted(it.name for it in one.fallback.replaces)}
    return {
        "view": view,
        "name": one.name,
        "position": position,
        "type": one.type.value,
        "description": one.description,
        "fallback": fallback,
    }


def _feature_of(row: Row[Any]) -> Feature:
    stored = row.fallback
    fallback = stored and Fallback(stored["value"], frozenset(Status[name] for name in stored["for"]))
    return Feature(row.name, ValueType(row.type), row.description, fallback)


def _aggregation_row(one: Aggregation) -> Mapping[str, Any]:
    window_us = one.window // _MICROSECOND
    return {"feature": one.feature, "column": one.column, "function": one.function.value, "window_us": window_us}


def _aggregation_of(row: Mapping[str, Any]) -> Aggregation:
    return Aggregation(row["feature"], row["column"], Function(row["function"]), row["window_us"] * _MICROSECOND)
