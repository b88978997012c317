"""Taking predictions and labels in, with all that follows, in one transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from services.monitor.domain.batch import Batch
from services.monitor.domain.feature import count_features
from services.monitor.domain.label import LabelBatch, LabelTally
from services.monitor.domain.trial import Match, PairSums, added
from services.monitor.domain.verdict import verdict
from services.monitor.engine.baselines import Baselines
from services.monitor.engine.joining import Joining
from services.monitor.engine.judging import Judging
from services.monitor.ports import Writer


class Taking:
    """Joins, counts features or keeps them for their baseline, adds to trials and judges, in this order.

    Every call belongs in the transaction that claims what it is about.
    """

    def __init__(self, joining: Joining, baselines: Baselines, judging: Judging, window_s: int) -> None:
        self._joining = joining
        self._baselines = baselines
        self._judging = judging
        self._window_us = window_s * 1_000_000

    async def take(
        self, windows: Writer, batches: Sequence[Batch], labels: Sequence[LabelBatch], now: datetime
    ) -> LabelTally:
        """Take predictions and labels in; what became of the labels, those that had waited among the joined."""
        joined = await self._joining.join(windows.joins, batches, labels, now)
        await self._count_features(windows, [batch for batch in batches if not batch.shadow], now)
        for endpoint, matches in joined.matches.items():
            await _try(windows, endpoint, matches, now)
        await self._advance(windows, batches, labels, now)
        return joined.tally

    async def _count_features(self, windows: Writer, answered: Sequence[Batch], now: datetime) -> None:
        versions = {(batch.arm.model, batch.arm.version) for batch in answered}
        baselines = await self._baselines.of(windows, versions)
        await windows.add_features(count_features(answered, baselines, self._window_us))
        unknown = [batch for batch in answered if (batch.arm.model, batch.arm.version) not in baselines]
        await windows.waiting.keep(unknown, self._window_us, now)

    async def _advance(
        self, windows: Writer, batches: Iterable[Batch], labels: Iterable[LabelBatch], now: datetime
    ) -> None:
        asked: defaultdict[str, list[int]] = defaultdict(list)
        known: defaultdict[str, list[int]] = defaultdict(list)
        for batch in batches:
            if batch.event_times_us and not batch.shadow:
                asked[batch.arm.endpoint].append(max(batch.event_times_us))
        for told in labels:
            if told.times_us:
                known[told.endpoint].append(max(told.times_us))
        for endpoint in sorted(asked.keys() | known.keys()):
            before = await windows.progress(endpoint)
            seen = before.seen(asked.get(endpoint, ()), known.get(endpoint, ()))
            if seen != before:
                await windows.keep_progress(endpoint, await self._judging.advance(windows, endpoint, seen, now))


async def _try(windows: Writer, endpoint: str, matches: Sequence[Match], now: datetime) -> None:
    """Add pairs to the endpoint's trials, and conclude those that say something now."""
    for trial, sums in await windows.trials.running(endpoint):
        more = added(trial, matches)
        if more == PairSums():
            continue
        summed = sums + more
        await windows.trials.put_sums(trial, summed)
        if said := verdict(trial, summed, now):
            await windows.trials.conclude(trial, said)
