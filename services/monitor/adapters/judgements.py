"""Streaks and incidents in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import reduce
from operator import add
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.monitor.adapters import tables
from services.monitor.adapters.announcing import announce
from services.monitor.adapters.performance import sums_of
from services.monitor.adapters.upsert import dialect, upsert
from services.monitor.codec.changes import incident_changed
from services.monitor.domain.feature import VersionWindow
from services.monitor.domain.harm import Cause, Harm, IncidentKind
from services.monitor.domain.incident import Incident, Streak
from services.monitor.domain.performance import Sums
from slipway.paging import Page

_incident = tables.incident


class SqlJudgements:
    """See Judgements; in the transaction of ``connection``."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def performance_of(self, window: VersionWindow) -> Sums:
        """See Judgements."""
        table = tables.performance_window
        query = select(table).where(*(table.c[name] == value for name, value in asdict(window).items()))
        return reduce(add, [sums_of(row) for row in await self._connection.execute(query)], Sums())

    async def streak(self, window: VersionWindow, kind: IncidentKind) -> Streak:
        """See Judgements."""
        columns = tables.streak.c
        query = select(tables.streak).where(
            *(columns[name] == getattr(window, name) for name in ("endpoint", "model", "version")),
            columns.kind == kind.value,
        )
        row = (await self._connection.execute(query)).one_or_none()
        return Streak(kind, row.bad, row.good, row.start_us, _causes(row.causes)) if row else Streak(kind)

    async def keep_streak(self, window: VersionWindow, streak: Streak) -> None:
        """See Judgements."""
        row = {
            **{name: getattr(window, name) for name in ("endpoint", "model", "version")},
            "kind": streak.kind.value,
            "bad": streak.bad,
            "good": streak.good,
            "start_us": streak.start_us,
            "causes": [asdict(cause) for cause in streak.causes],
        }
        await upsert(self._connection, tables.streak, [row])

    async def open_incidents(self, endpoint: str) -> Sequence[Incident]:
        """See Judgements."""
        columns = _incident.c
        query = select(_incident).where(columns.endpoint == endpoint, columns.close_time.is_(None))
        return [_incident_of(row) for row in await self._connection.execute(query.order_by(columns.position))]

    async def put_incident(self, incident: Incident) -> None:
        """See Judgements."""
        row = {**asdict(incident), "kind": incident.kind.value}
        fresh = dialect(self._connection).insert(_incident)
        ending = {name: fresh.excluded[name] for name in ("close_time", "close_reason")}
        await self._connection.execute(fresh.on_conflict_do_update(index_elements=["id"], set_=ending), [row])
        await announce(self._connection, incident_changed(incident))


async def incidents(
    connection: AsyncConnection, endpoint: str, page: Page, *, open_only: bool
) -> Sequence[tuple[int, Incident]]:
    """See Reader.incidents."""
    columns = _incident.c
    query = select(_incident).order_by(columns.position.desc()).limit(page.fetch)
    if endpoint:
        query = query.where(columns.endpoint == endpoint)
    if open_only:
        query = query.where(columns.close_time.is_(None))
    if page.after:
        query = query.where(columns.position < page.after[0])
    return [(row.position, _incident_of(row)) for row in await connection.execute(query)]


def _incident_of(row: Any) -> Incident:
    return Incident(
        id=row.id,
        endpoint=row.endpoint,
        model=row.model,
        version=row.version,
        kind=IncidentKind(row.kind),
        start_us=row.start_us,
        trigger_us=row.trigger_us,
        harm=Harm(**row.harm),
        causes=_causes(row.causes),
        create_time=row.create_time,
        close_time=row.close_time,
        close_reason=row.close_reason,
    )


def _causes(told: Sequence[dict[str, Any]]) -> tuple[Cause, ...]:
    return tuple(Cause(**one) for one in told)
