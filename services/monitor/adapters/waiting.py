"""Features that wait for their baseline, in SQL."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import and_, delete, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.monitor.adapters import tables
from services.monitor.adapters.upsert import dialect
from services.monitor.codec.columns import decode_features, encode_features
from services.monitor.domain.batch import Batch

_table, _columns, _baseline = tables.waiting_batch, tables.waiting_batch.c, tables.baseline.c
_SAME = and_(_columns.model == _baseline.model, _columns.version == _baseline.version)


class SqlWaiting:
    """See Waiting; in the transaction of ``connection``.

    Which versions are known is asked of the baselines, which are few, never of the batches, which may be many.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def keep(self, batches: Sequence[Batch], window_us: int, now: datetime) -> None:
        """See Waiting."""
        rows = [
            {
                "event_id": batch.event_id,
                "endpoint": batch.arm.endpoint,
                "model": batch.arm.model,
                "version": batch.arm.version,
                "window_us": window_us,
                "seen_at": now,
                "value": encode_features(batch),
            }
            for batch in batches
        ]
        if rows:
            # An event that the inbox forgot may come again while its features wait still.
            fresh = dialect(self._connection).insert(_table).on_conflict_do_nothing()
            await self._connection.execute(fresh, rows)

    async def known(self, limit: int) -> Mapping[int, Sequence[Batch]]:
        """See Waiting."""
        version = select(_baseline.model, _baseline.version).where(exists().where(_SAME)).limit(1)
        found = (await self._connection.execute(version)).one_or_none()
        by_width: defaultdict[int, list[Batch]] = defaultdict(list)
        if found:
            query = select(_columns.event_id, _columns.window_us, _columns.value).where(
                _columns.model == found.model, _columns.version == found.version
            )
            for event_id, window_us, value in await self._connection.execute(query.limit(limit)):
                by_width[window_us].append(decode_features(event_id, value))
        return by_width

    async def drop(self, event_ids: Sequence[str]) -> None:
        """See Waiting."""
        await self._connection.execute(delete(_table).where(_columns.event_id.in_(event_ids)))

    async def unsettled(self, endpoint: str) -> frozenset[tuple[str, int]]:
        """See Waiting."""
        waits = exists().where(_SAME, _columns.endpoint == endpoint)
        rows = await self._connection.execute(select(_baseline.model, _baseline.version).where(waits))
        return frozenset((model, version) for model, version in rows)

    async def prune(self, before: datetime) -> Mapping[tuple[str, int], int]:
        """See Waiting."""
        gone = and_(_columns.seen_at < before, ~exists().where(_SAME))
        by = (_columns.model, _columns.version)
        query = select(*by, func.count()).where(gone).group_by(*by)
        dropped = {(model, version): int(batches) for model, version, batches in await self._connection.execute(query)}
        await self._connection.execute(delete(_table).where(gone))
        return dropped
