"""Writing rows to the online store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.feature_serving.domain import wire
from services.feature_serving.domain.errors import OnlineStoreUnavailable
from services.feature_serving.domain.reading import Found
from services.feature_serving.domain.rows import Batch, Row, Rows, encode, takes_effect
from services.feature_serving.domain.watermark import Watermark
from services.feature_serving.engine.compiled import Compiled
from services.feature_serving.engine.reached import Reached
from services.feature_serving.ports.meters import Meters
from services.feature_serving.ports.online_store import OnlineStore
from services.feature_serving.ports.written import Pushed, Watermarks
from slipway.clock import Clock

# Values in one round trip: the online store serves nobody else meanwhile, so about a millisecond's worth.
_CHUNK_VALUES = 4_000
_ROUNDS = 20


@dataclass(frozen=True, slots=True)
class Written:
    """Rows that took effect, and rows for which a newer one was there."""

    applied: int
    late: int


class Writes:
    """Writes rows, the newest of each entity; then their views' watermarks rise."""

    def __init__(
        self,
        *,
        compiled: Compiled,
        store: OnlineStore,
        watermarks: Watermarks,
        pushed: Pushed,
        reached: Reached,
        clock: Clock,
        meters: Meters,
        project: str,
    ) -> None:
        self._compiled = compiled
        self._store = store
        self._watermarks = watermarks
        self._pushed = pushed
        self._reached = reached
        self._clock = clock
        self._meters = meters
        self._project = project

    async def apply(self, rows: Rows) -> Written:
        """Write rows that came by a call, keep them, and raise their view's watermark; they may be given again.

        Raises as :meth:`write`, and as the database does.
        """
        written, batch = await self._written(rows)
        watermarks = self.watermarks([rows])
        await self._pushed.keep(rows.view, batch, watermarks)
        self._note(watermarks)
        return written

    async def write(self, rows: Rows) -> Written:
        """Write rows alone. Raises InvalidInput, FeatureViewNotFound, OnlineStoreUnavailable."""
        return (await self._written(rows))[0]

    async def _written(self, rows: Rows) -> tuple[Written, Batch]:
        view = await self._compiled.view(rows.view, "rows.view")
        batch = encode(rows, view, self._project)
        applied = await self.store(batch)
        written = Written(applied, len(rows.event_times_us) - applied)
        self._meters.written(written.applied, written.late)
        return written, batch

    async def store(self, batch: Batch, stamped: dict[bytes, bytes] | None = None) -> int:
        """Write a batch, some rows at a time; how many took effect. Raises OnlineStoreUnavailable.

        ``stamped`` are the event times last stored of the batch's view, by key, as whoever keeps them knows: where they
        still hold, asking for them is saved. What is written is added.
        """
        size = max(1, _CHUNK_VALUES // (len(batch.fields) + 2))
        applied = 0
        for start in range(0, len(batch.rows), size):
            applied += await self._write(batch, batch.rows[start : start + size], stamped)
        return applied

    async def reached(self, written: Sequence[Rows]) -> None:
        """Raise the watermarks of the views that rows were written to."""
        if watermarks := self.watermarks(written):
            await self._watermarks.raise_to(watermarks)
            self._note(watermarks)

    def _note(self, watermarks: Sequence[Watermark]) -> None:
        self._reached.note({one.view: one.event_time_us for one in watermarks})

    def watermarks(self, written: Sequence[Rows]) -> Sequence[Watermark]:
        """The watermarks that written rows make, of each view the highest."""
        highest: dict[str, int] = {}
        for rows in written:
            highest[rows.view] = max(rows.reached_us, highest.get(rows.view, 0))
        now = self._clock.now()
        return [Watermark(view, moment_us, now) for view, moment_us in highest.items()]

    async def _write(self, batch: Batch, rows: Sequence[Row], stamped: dict[bytes, bytes] | None) -> int:
        """Compare, decide and swap, again for the rows that another writer came between; rows that took effect."""
        applied = 0
        for turn in range(_ROUNDS):
            if stamped is not None and turn == 0:
                stored: Found = [stamped.get(row.key) for row in rows]
            else:
                stored = await self._store.stamps([row.key for row in rows], batch.timestamp_field)
            pairs = [(row, stamp) for row, stamp in zip(rows, stored, strict=True) if takes_effect(row, stamp)]
            if not pairs:
                return applied
            rows = [row for row, _ in pairs]
            done = await self._store.swap(batch, rows, [stamp for _, stamp in pairs])
            applied += sum(done)
            if stamped is not None:
                swapped = zip(rows, done, strict=True)
                stamped.update((row.key, wire.timestamp(row.event_time_us)) for row, ok in swapped if ok)
            rows = [row for row, ok in zip(rows, done, strict=True) if not ok]
            if not rows:
                return applied
        raise OnlineStoreUnavailable("others write the same rows without pause; try again")
