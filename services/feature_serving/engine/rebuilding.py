"""Values that the online store has lost, written again from what is durable."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

from services.feature_serving.domain.advance import rows_at
from services.feature_serving.domain.tiles import Tiles
from services.feature_serving.domain.view import FeatureView
from services.feature_serving.domain.windows import floor
from services.feature_serving.engine.compiled import Compiled
from services.feature_serving.engine.writes import Writes
from services.feature_serving.ports.catalogue import Catalogue
from services.feature_serving.ports.online_store import Wholeness
from services.feature_serving.ports.windows import Windows
from services.feature_serving.ports.written import Past, Pushed
from slipway.clock import Clock
from slipway.errors import InvalidInput, NotFound, SlipwayError
from slipway.paging import MAX_SIZE, Page

log = logging.getLogger(__name__)


class Rebuilding:
    """Looks every second whether the online store still holds what was written; if not, writes it again.

    Of windowed views the values of the last boundary, from their tiles; of the others every row that the event log
    still holds and those that came by calls, the newest of each entity winning as ever. Meanwhile ingestion waits
    (``turn``), so that no row of the past takes the place of a correction that is newer, and what is not back yet is
    told as missing.
    """

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        compiled: Compiled,
        windows: Windows,
        past: Past,
        pushed: Pushed,
        store: Wholeness,
        writes: Writes,
        clock: Clock,
        project: str,
        every_s: float = 1.0,
    ) -> None:
        self.turn = asyncio.Lock()
        self._catalogue = catalogue
        self._compiled = compiled
        self._windows = windows
        self._past = past
        self._pushed = pushed
        self._store = store
        self._writes = writes
        self._clock = clock
        self._project = project
        self._every_s = every_s

    async def run(self) -> None:
        """Look and rebuild until cancelled; what can't be done now is tried again."""
        told = ""
        while True:
            try:
                await self.look()
                told = ""
            except SlipwayError as error:
                # While it is away the same is found every second.
                if error.message != told:
                    told = error.message
                    log.warning("nobody knows whether the online store is whole: %s", told)
            await self._clock.sleep(self._every_s)

    async def look(self) -> bool:
        """Rebuild if need be; whether there was. Raises OnlineStoreUnavailable, or as the database and the log do."""
        if await self._store.whole():
            return False
        async with self.turn:
            log.info("the online store is empty, or another one than before; writing its values again")
            rows, whole = 0, False
            while not whole:
                mark = await self._store.begin()
                rows = await self._windowed() + await self._published() + await self._by_call()
                whole = await self._store.end(mark)
        log.info("the online store is whole again", extra={"rows": rows})
        return True

    async def _windowed(self) -> int:
        return sum([await self._rewrite(view) async for view in self._views() if view.definition.aggregations])

    async def _rewrite(self, view: FeatureView) -> int:
        tiles = Tiles(view.definition)
        async with self._windows.read() as windows:
            standing = (await windows.standings([view.name]))[view.name]
            tiles.load(await windows.tiles(view.name, tiles.columns))
        boundary_us = floor(standing.reached_us, tiles.hop_us)
        entities, values = tiles.values(0, boundary_us)
        return await self._writes.store(rows_at(view, boundary_us, entities, values, self._project))

    async def _views(self) -> AsyncIterator[FeatureView]:
        after: tuple[str] | None = None
        while True:
            async with self._catalogue.read() as catalogue:
                found = await catalogue.views(Page(MAX_SIZE, after))
            for view in found:
                yield view
            if len(found) <= MAX_SIZE:
                return
            after = (found[-1].name,)

    async def _published(self) -> int:
        applied = 0
        async for rows in self._past.rows():
            try:
                if (await self._compiled.view(rows.view, "rows.view")).definition.aggregations:
                    continue
                applied += (await self._writes.write(rows)).applied
            except (InvalidInput, NotFound):
                # It was set aside when it came.
                continue
        return applied

    async def _by_call(self) -> int:
        return sum([await self._writes.store(batch) async for batch in self._pushed.batches()])
