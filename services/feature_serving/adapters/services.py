"""Feature services in SQL; the catalogue's transactions run these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.feature_serving.adapters import tables
from services.feature_serving.domain.service import FeatureService, Reference, ServiceDefinition
from slipway.paging import Page

_SERVICE, _ENTRY = tables.feature_service, tables.feature_service_feature


async def named(connection: AsyncConnection, names: Sequence[str]) -> Mapping[str, FeatureService]:
    """See Reader.services_named."""
    found = await _services(connection, select(_SERVICE).where(_SERVICE.c.name.in_(names)))
    return {service.name: service for service in found}


async def page(connection: AsyncConnection, page: Page) -> Sequence[FeatureService]:
    """See Reader.services."""
    query = select(_SERVICE).order_by(_SERVICE.c.name).limit(page.fetch)
    if page.after:
        query = query.where(_SERVICE.c.name > page.after[0])
    return await _services(connection, query)


async def users(connection: AsyncConnection, views: Sequence[str]) -> Mapping[Reference, str]:
    """See Reader.users."""
    query = (
        select(_ENTRY.c.view, _ENTRY.c.feature, func.min(_ENTRY.c.service))
        .where(_ENTRY.c.view.in_(views))
        .group_by(_ENTRY.c.view, _ENTRY.c.feature)
    )
    return {Reference(view, feature): service for view, feature, service in await connection.execute(query)}


async def put(connection: AsyncConnection, service: FeatureService) -> None:
    """See Writer.put_service."""
    definition = service.definition
    await connection.execute(delete(_ENTRY).where(_ENTRY.c.service == service.name))
    await connection.execute(delete(_SERVICE).where(_SERVICE.c.name == service.name))
    await connection.execute(
        insert(_SERVICE).values(
            name=definition.name,
            owner=definition.owner,
            description=definition.description,
            revision=service.revision,
            update_time=service.update_time,
        )
    )
    rows = [
        {"service": service.name, "position": n, "view": one.view, "feature": one.feature}
        for n, one in enumerate(definition.features)
    ]
    await connection.execute(insert(_ENTRY), rows)


async def _services(connection: AsyncConnection, query: Select[Any]) -> Sequence[FeatureService]:
    rows = (await connection.execute(query)).all()
    entries = (
        select(_ENTRY)
        .where(_ENTRY.c.service.in_([row.name for row in rows]))
        .order_by(_ENTRY.c.service, _ENTRY.c.position)
    )
    features: dict[str, list[Reference]] = {row.name: [] for row in rows}
    for row in await connection.execute(entries):
        features[row.service].append(Reference(row.view, row.feature))
    return [
        FeatureService(
            ServiceDefinition(row.name, row.owner, row.description, tuple(features[row.name])),
            row.revision,
            row.update_time,
        )
        for row in rows
    ]
