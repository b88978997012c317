"""Rows from wherever they come: those of windowed views are events to count, the others are written as they are."""

from __future__ import annotations

from collections.abc import Sequence

from services.feature_serving.domain.happenings import Happenings, check_events
from services.feature_serving.domain.rows import Rows
from services.feature_serving.engine.compiled import Compiled
from services.feature_serving.engine.windowing import Windowing
from services.feature_serving.engine.writes import Writes, Written

Taken = Rows | Happenings


class Intake:
    """Takes rows one by one, then settles what was taken together."""

    def __init__(self, compiled: Compiled, writes: Writes, windowing: Windowing) -> None:
        self._compiled = compiled
        self._writes = writes
        self._windowing = windowing

    async def push(self, push_id: str, rows: Rows) -> Written:
        """Take and settle one call's rows. Raises as :meth:`take` and :meth:`settle`."""
        view = await self._compiled.view(rows.view, "rows.view")
        if view.definition.aggregations:
            return await self._windowing.ingest([check_events(push_id, rows, view)])
        return await self._writes.apply(rows)

    async def take(self, event_id: str, rows: Rows) -> Taken:
        """Check rows; those of a plain view are written.

        Raises InvalidInput, FeatureViewNotFound, OnlineStoreUnavailable.
        """
        view = await self._compiled.view(rows.view, "rows.view")
        if view.definition.aggregations:
            return check_events(event_id, rows, view)
        await self._writes.write(rows)
        return rows

    async def settle(self, taken: Sequence[Taken]) -> None:
        """Count the events among ``taken``, write what they make, raise the watermarks. It may be done again.

        Raises OnlineStoreUnavailable, or as the database does.
        """
        written = [one for one in taken if isinstance(one, Rows)]
        if events := [one for one in taken if isinstance(one, Happenings)]:
            # One transaction for all the watermarks.
            await self._windowing.ingest(events, self._writes.watermarks(written))
        else:
            await self._writes.reached(written)

    async def resume(self) -> None:
        """Finish what a process before this one left."""
        await self._windowing.resume()
