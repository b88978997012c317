"""Joining labels to predictions, whichever comes first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.monitor.domain.batch import Batch
from services.monitor.domain.label import LabelBatch, LabelTally, settle, with_joined
from services.monitor.domain.performance import Ledger
from services.monitor.domain.prediction import Prediction, predictions_of, unseen
from services.monitor.domain.trial import Match
from services.monitor.ports.joins import Joins


@dataclass(frozen=True, slots=True)
class Joined:
    """What became of labels, those that had waited among the joined, and what changed under ids with one."""

    tally: LabelTally
    matches: Mapping[str, Sequence[Match]]


class Joining:
    """Keeps both sides, and adds each pair to its window of ``window_s`` seconds once.

    A window holds exactly what the predictions and labels that are kept say: whoever comes second joins, and a
    correction takes its predecessor out. Every call belongs in the transaction that claims what it is about.
    """

    def __init__(self, window_s: int) -> None:
        self._window_us = window_s * 1_000_000

    async def join(self, joins: Joins, batches: Iterable[Batch], labels: Iterable[LabelBatch], now: datetime) -> Joined:
        """Take predictions and labels in; what came of it."""
        at_hand = _Round(joins, now)
        tally = LabelTally()
        for endpoint, rows in _by_endpoint(predictions_of(batches, self._window_us)).items():
            tally += await at_hand.predicted(endpoint, rows)
        by_endpoint: defaultdict[str, list[LabelBatch]] = defaultdict(list)
        for batch in labels:
            by_endpoint[batch.endpoint].append(batch)
        for endpoint, told in by_endpoint.items():
            tally += await at_hand.labelled(endpoint, told)
        await joins.add_sums(at_hand.ledger.sums())
        return Joined(tally, at_hand.matches)


def _by_endpoint(rows: Iterable[Prediction]) -> dict[str, list[Prediction]]:
    grouped: defaultdict[str, list[Prediction]] = defaultdict(list)
    for row in rows:
        grouped[row.arm.endpoint].append(row)
    return grouped


def _by_id(rows: Iterable[Prediction]) -> defaultdict[str, list[Prediction]]:
    grouped: defaultdict[str, list[Prediction]] = defaultdict(list)
    for row in rows:
        grouped[row.prediction_id].append(row)
    return grouped


class _Round:
    """One transaction's joining."""

    def __init__(self, joins: Joins, now: datetime) -> None:
        self._joins = joins
        self._now = now
        self.ledger = Ledger()
        self.matches: defaultdict[str, list[Match]] = defaultdict(list)

    async def predicted(self, endpoint: str, rows: Sequence[Prediction]) -> LabelTally:
        """Keep predictions, and join them to labels that waited for them or that another arm shares."""
        joins = self._joins
        ids = list(dict.fromkeys(row.prediction_id for row in rows))
        known = await joins.predictions(endpoint, ids)
        fresh = unseen(rows, known)
        labels = await joins.labels(endpoint, ids)
        for row in fresh:
            self.ledger.predicted(row.key)
            if kept := labels.get(row.prediction_id):
                self.ledger.join(row.key, row.with_label(kept.label))
        await joins.keep_predictions(fresh, self._now)
        added, before = _by_id(fresh), _by_id(known)
        self.matches[endpoint] += [
            Match(before.get(one, []), kept.label, [*before.get(one, []), *added[one]], kept.label)
            for one, kept in labels.items()
            if one in added
        ]
        waited = {one: with_joined(kept) for one, kept in labels.items() if one in added and not kept.joined}
        await joins.keep_labels(endpoint, waited, self._now)
        tally = LabelTally(joined=len(waited))
        await joins.add_tally(endpoint, tally)
        return tally

    async def labelled(self, endpoint: str, batches: Sequence[LabelBatch]) -> LabelTally:
        """Settle labels, and join those whose predictions are kept."""
        joins = self._joins
        ids = list(dict.fromkeys(one for batch in batches for one in batch.prediction_ids))
        known = await joins.labels(endpoint, ids)
        rows = _by_id(await joins.predictions(endpoint, ids))
        settled = settle(known, set(rows), batches)
        for prediction_id, kept in settled.changed.items():
            old = known.get(prediction_id)
            for row in rows.get(prediction_id, ()):
                if old:
                    self.ledger.part(row.key, row.with_label(old.label))
                self.ledger.join(row.key, row.with_label(kept.label))
            if some := rows.get(prediction_id):
                self.matches[endpoint].append(Match(some, old.label if old else None, some, kept.label))
        await joins.keep_labels(endpoint, settled.changed, self._now)
        await joins.add_tally(endpoint, settled.tally)
        return settled.tally
