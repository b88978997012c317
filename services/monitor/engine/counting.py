"""Counting batches and joining their labels, each once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from services.monitor.domain.batch import Batch, tally
from services.monitor.domain.label import LabelBatch
from services.monitor.engine.taking import Taking
from services.monitor.ports import Meters, Windows
from slipway.clock import Clock

# About half a second of joining, while which calls that record labels wait.
_PORTION_ROWS = 10_000


class Counting:
    """Adds what was answered to windows of ``window_s`` seconds, and has predictions and labels taken in."""

    def __init__(self, windows: Windows, taking: Taking, clock: Clock, meters: Meters, window_s: int) -> None:
        self._windows = windows
        self._taking = taking
        self._clock = clock
        self._meters = meters
        self._window_us = window_s * 1_000_000

    async def count(self, batches: Sequence[Batch], labels: Mapping[str, LabelBatch] | None = None) -> int:
        """Take in what was not taken in before; how many answered predictions that were.

        ``labels`` are by the id of their event, which no batch has. Claims, counts and joins of a batch commit
        together, be it of predictions or of labels, so any of them may be given again.
        """
        counted = 0
        for some, told in _portions(batches, labels or {}):
            counted += await self._take(some, told)
        return counted

    async def _take(self, batches: Mapping[str, Batch], labels: Mapping[str, LabelBatch]) -> int:
        now = self._clock.now()
        async with self._windows.write() as windows:
            fresh = await windows.claim([*batches, *labels], now)
            new = [batch for event_id, batch in batches.items() if event_id in fresh]
            counted = tally([batch for batch in new if not batch.shadow], self._window_us)
            await windows.add(counted, self._window_us)
            told = [batch for event_id, batch in labels.items() if event_id in fresh]
            joined = await self._taking.take(windows, new, told, now)
        self._meters.counted(counted.total())
        self._meters.labelled(joined)
        return counted.total()


def _portions(
    batches: Sequence[Batch], labels: Mapping[str, LabelBatch]
) -> Iterator[tuple[dict[str, Batch], dict[str, LabelBatch]]]:
    """Events for one transaction each, in their order."""
    some: dict[str, Batch] = {}
    told: dict[str, LabelBatch] = {}
    rows = 0
    for batch in batches:
        some[batch.event_id] = batch
        rows += len(batch.prediction_ids)
        if rows >= _PORTION_ROWS:
            yield some, told
            some, told, rows = {}, {}, 0
    for event_id, truth in labels.items():
        told[event_id] = truth
        rows += len(truth.prediction_ids)
        if rows >= _PORTION_ROWS:
            yield some, told
            some, told, rows = {}, {}, 0
    if some or told:
        yield some, told
