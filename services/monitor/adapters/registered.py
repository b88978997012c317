"""What the registry announced, in SQL."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.monitor.adapters import tables
from services.monitor.adapters.upsert import upsert
from services.monitor.domain.baseline import Baseline, FeatureBaseline, PerformanceBaseline
from services.monitor.domain.endpoint import Endpoint, Rollout, ServingArm, Step


class SqlRegistered:
    """See Registered; in the transaction of ``connection``."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def keep_baseline(self, baseline: Baseline) -> None:
        """See Registered."""
        row = {"model": baseline.model, "version": baseline.version, "body": asdict(baseline)}
        await upsert(self._connection, tables.baseline, [row])

    async def keep_endpoint(self, endpoint: Endpoint) -> None:
        """See Registered."""
        row = {"name": endpoint.name, "revision": endpoint.revision, "body": asdict(endpoint)}
        await upsert(self._connection, tables.endpoint, [row])

    async def drop_endpoint(self, name: str) -> None:
        """See Registered."""
        await self._connection.execute(delete(tables.endpoint).where(tables.endpoint.c.name == name))


async def baseline(connection: AsyncConnection, model: str, version: int) -> Baseline | None:
    """See Reader.baseline."""
    columns = tables.baseline.c
    query = select(columns.body).where(columns.model == model, columns.version == version)
    body: dict[str, Any] | None = (await connection.execute(query)).scalar_one_or_none()
    if body is None:
        return None
    features = tuple(
        FeatureBaseline(**{**one, **{name: tuple(one[name]) for name in ("edges", "categories", "counts")}})
        for one in body["features"]
    )
    return Baseline(model, version, features, PerformanceBaseline(**body["performance"]))


async def endpoint(connection: AsyncConnection, name: str) -> Endpoint | None:
    """See Reader.endpoint."""
    columns = tables.endpoint.c
    body: dict[str, Any] | None = (
        await connection.execute(select(columns.body).where(columns.name == name))
    ).scalar_one_or_none()
    if body is None:
        return None
    arms = tuple(ServingArm(**arm) for arm in body["arms"])
    told = body["rollout"]
    rollout = Rollout(**{**told, "steps": tuple(Step(**step) for step in told["steps"])}) if told else None
    return Endpoint(body["name"], body["revision"], arms, rollout)
