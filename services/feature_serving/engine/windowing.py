"""Windowed views: events become tiles, and, as event time passes a hop's end, rows of values."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from services.feature_serving.domain.advance import Change, Standing, rows_at
from services.feature_serving.domain.happenings import Happenings
from services.feature_serving.domain.tiles import Tile, Tiles
from services.feature_serving.domain.view import FeatureView
from services.feature_serving.domain.watermark import Watermark
from services.feature_serving.domain.windows import floor
from services.feature_serving.engine.compiled import Compiled
from services.feature_serving.engine.reached import Reached
from services.feature_serving.engine.writes import Writes, Written
from services.feature_serving.ports.meters import Meters
from services.feature_serving.ports.windows import WindowReader, Windows
from slipway.clock import Clock
from slipway.errors import SlipwayError

log = logging.getLogger(__name__)


@dataclass
class _Mirror:
    """A view's tiles as the database has them, where it stands, and the event times of the rows written."""

    view: FeatureView
    tiles: Tiles
    standing: Standing
    unsaved: dict[tuple[int, bytes], Tile] = field(default_factory=dict)
    stamped: dict[bytes, bytes] = field(default_factory=dict)


class Windowing:
    """Counts events, each id once, and writes the values of the boundaries that event time has passed.

    Events and ids are durable first; then the rows are written; then the watermark rises. So whoever was killed in
    between starts over from the database and writes the same rows. Of a jump over many boundaries the last alone is
    written: the online store holds the newest row.
    """

    def __init__(
        self,
        *,
        compiled: Compiled,
        windows: Windows,
        writes: Writes,
        reached: Reached,
        clock: Clock,
        meters: Meters,
        project: str,
    ) -> None:
        self._compiled = compiled
        self._windows = windows
        self._writes = writes
        self._reached = reached
        self._clock = clock
        self._meters = meters
        self._project = project
        self._mirrors: dict[str, _Mirror] = {}
        self._turn = asyncio.Lock()

    async def ingest(self, given: Sequence[Happenings], others: Sequence[Watermark] = ()) -> Written:
        """Count events, all of them in one transaction, and write what they make; again it changes nothing.

        ``others`` are watermarks of views without windows, which rise with those of the events' views.
        Raises OnlineStoreUnavailable, or as the database does: they may have been counted, so give them again.
        """
        views = {one.view.name: one.view for one in given}
        async with self._turn:
            try:
                written = await self._count(given, views)
                await self._advance([self._mirrors[name] for name in views], others)
            except BaseException:
                # What is in memory may be ahead of the database, or behind the online store.
                for name in views:
                    self._mirrors.pop(name, None)
                raise
        self._meters.written(written.applied, written.late)
        return written

    async def resume(self) -> None:
        """Write what a process before this one was killed before writing; what can't be now comes with later events."""
        try:
            async with self._windows.read() as windows:
                names = await windows.unfinished()
            for name in names:
                await self.ingest([Happenings.nothing(await self._compiled.view(name, "view"))])
        except SlipwayError as error:
            log.warning("values of passed boundaries wait for the next event: %s", error.message)

    async def _count(self, given: Sequence[Happenings], views: dict[str, FeatureView]) -> Written:
        ids = [one.id for one in given if one.entities]
        if not ids:
            async with self._windows.read() as windows:
                await self._mirror(windows, views)
            for one in given:
                self._absorb(one)
            return Written(0, 0)
        async with self._windows.write() as windows:
            fresh = await windows.claim(ids, self._clock.now())
            await self._mirror(windows, views)
            counted = repeated = 0
            for one in given:
                if one.id in fresh or not one.entities:
                    # An id may stand twice in one batch.
                    fresh.discard(one.id)
                    self._absorb(one)
                    counted += len(one.entities)
                else:
                    repeated += len(one.entities)
            await windows.put([self._change(self._mirrors[name]) for name in views], self._clock.now())
        return Written(counted, repeated)

    async def _mirror(self, windows: WindowReader, views: Mapping[str, FeatureView]) -> None:
        """Have the views' tiles in memory as the database has them, which another process may have changed."""
        for name, standing in (await windows.standings(list(views))).items():
            kept, view = self._mirrors.get(name), views[name]
            if kept is None or kept.view.revision != view.revision or kept.standing.version != standing.version:
                tiles = Tiles(view.definition)
                tiles.load(await windows.tiles(name, tiles.columns))
                self._mirrors[name] = _Mirror(view, tiles, standing)
            else:
                kept.standing = standing

    def _absorb(self, given: Happenings) -> None:
        mirror = self._mirrors[given.view.name]
        standing = mirror.standing
        if given.entities:
            boundary_us = floor(standing.reached_us, mirror.tiles.hop_us)
            for tile in mirror.tiles.absorb(given.entities, given.times_us, given.values_of(mirror.view), boundary_us):
                mirror.unsaved[tile.start_us, tile.entity] = tile
        late = int((given.times_us < standing.complete_us).sum())
        complete_us = max(standing.complete_us, given.reached_us)
        mirror.standing = replace(standing, complete_us=complete_us, late_rows=standing.late_rows + late)

    def _change(self, mirror: _Mirror) -> Change:
        """What is to be saved of a view."""
        mirror.standing = replace(mirror.standing, version=mirror.standing.version + 1)
        tiles = list(mirror.unsaved.values())
        mirror.unsaved.clear()
        return Change(mirror.view.name, mirror.tiles.columns, tiles, mirror.standing)

    async def _advance(self, mirrors: Sequence[_Mirror], others: Sequence[Watermark]) -> None:
        """Write the rows of passed boundaries, then raise the watermarks."""
        risen = [one for one in mirrors if one.standing.complete_us > one.standing.reached_us]
        # Every write has ended when one has failed: none goes on beside the next turn's.
        for failed in await asyncio.gather(*(self._write(one) for one in risen), return_exceptions=True):
            if failed is not None:
                raise failed
        if not risen and not others:
            return
        now = self._clock.now()
        watermarks = [Watermark(one.view.name, one.standing.complete_us, now) for one in risen]
        async with self._windows.write() as windows:
            await windows.reach([*watermarks, *others])
            await windows.trim(_settle(risen))
        for one in risen:
            one.standing = replace(one.standing, reached_us=one.standing.complete_us)
        self._reached.note({one.view: one.event_time_us for one in (*watermarks, *others)})

    async def _write(self, mirror: _Mirror) -> None:
        hop_us = mirror.tiles.hop_us
        before_us = floor(mirror.standing.reached_us, hop_us)
        boundary_us = floor(mirror.standing.complete_us, hop_us)
        if boundary_us > before_us:
            entities, values = mirror.tiles.values(before_us, boundary_us)
            rows = rows_at(mirror.view, boundary_us, entities, values, self._project)
            await self._writes.store(rows, mirror.stamped)


def _settle(risen: Sequence[_Mirror]) -> Mapping[str, int]:
    """Forget the tiles that no later boundary needs; before when, of the views that forgot any."""
    forgotten: dict[str, int] = {}
    for one in risen:
        boundary_us = floor(one.standing.complete_us, one.tiles.hop_us)
        if boundary_us > floor(one.standing.reached_us, one.tiles.hop_us):
            before_us = one.tiles.settle(boundary_us)
            if before_us is not None:
                forgotten[one.view.name] = before_us
    return forgotten
