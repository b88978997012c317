"""Joining labels to predictions, whichever comes first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from services.monitor.domain.batch import Batch
from services.monitor.domain.label import LabelBatch, LabelTally, settle, with_joined
from services.monitor.domain.performance import Ledger
from services.monitor.domain.prediction import Prediction, predictions_of, unseen
from services.monitor.ports import Joins


class Joining:
    """Keeps both sides, and adds each pair to its window of ``window_s`` seconds once.

    A window holds exactly what the predictions and labels that are kept say: whoever comes second joins, and a
    correction takes its predecessor out. Every call belongs in the transaction that claims what it is about.
    """

    def __init__(self, window_s: int) -> None:
        self._window_us = window_s * 1_000_000

    async def join(
        self, joins: Joins, batches: Iterable[Batch], labels: Iterable[LabelBatch], now: datetime
    ) -> LabelTally:
        """Take predictions and labels in; what became of the labels, those that had waited among the joined."""
        ledger = Ledger()
        tally = LabelTally()
        for endpoint, rows in _by_endpoint(predictions_of(batches, self._window_us)).items():
            tally += await _predicted(joins, ledger, endpoint, rows, now)
        by_endpoint: defaultdict[str, list[LabelBatch]] = defaultdict(list)
        for batch in labels:
            by_endpoint[batch.endpoint].append(batch)
        for endpoint, told in by_endpoint.items():
            tally += await _labelled(joins, ledger, endpoint, told, now)
        await joins.add_sums(ledger.sums())
        return tally


def _by_endpoint(rows: Iterable[Prediction]) -> dict[str, list[Prediction]]:
    grouped: defaultdict[str, list[Prediction]] = defaultdict(list)
    for row in rows:
        grouped[row.arm.endpoint].append(row)
    return grouped


async def _predicted(
    joins: Joins, ledger: Ledger, endpoint: str, rows: Sequence[Prediction], now: datetime
) -> LabelTally:
    """Keep predictions, and join them to labels that waited for them or that another arm shares."""
    ids = list(dict.fromkeys(row.prediction_id for row in rows))
    fresh = unseen(rows, await joins.predictions(endpoint, ids))
    labels = await joins.labels(endpoint, ids)
    for row in fresh:
        ledger.predicted(row.key)
        if kept := labels.get(row.prediction_id):
            ledger.join(row.key, row.with_label(kept.label))
    await joins.keep_predictions(fresh, now)
    found = {one.prediction_id for one in fresh}
    waited = {one: with_joined(kept) for one, kept in labels.items() if one in found and not kept.joined}
    await joins.keep_labels(endpoint, waited, now)
    tally = LabelTally(joined=len(waited))
    await joins.add_tally(endpoint, tally)
    return tally


async def _labelled(
    joins: Joins, ledger: Ledger, endpoint: str, batches: Sequence[LabelBatch], now: datetime
) -> LabelTally:
    """Settle labels, and join those whose predictions are kept."""
    ids = list(dict.fromkeys(one for batch in batches for one in batch.prediction_ids))
    known = await joins.labels(endpoint, ids)
    rows: defaultdict[str, list[Prediction]] = defaultdict(list)
    for row in await joins.predictions(endpoint, ids):
        rows[row.prediction_id].append(row)
    settled = settle(known, set(rows), batches)
    for prediction_id, kept in settled.changed.items():
        for row in rows.get(prediction_id, ()):
            if old := known.get(prediction_id):
                ledger.part(row.key, row.with_label(old.label))
            ledger.join(row.key, row.with_label(kept.label))
    await joins.keep_labels(endpoint, settled.changed, now)
    await joins.add_tally(endpoint, settled.tally)
    return settled.tally
