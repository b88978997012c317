"""Batches that count as one: to count costs more by the batch than by the row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain

from services.monitor.domain.batch import Arm, Batch
from services.monitor.domain.columns import joined


def merged(batches: Iterable[Batch]) -> list[Batch]:
    """One event's batches, those of an arm that follow each other as one where they hold the same kinds of values.

    The rows of an arm keep their order, so that what is counted is the same. A merged batch has the id of its first:
    an event that comes again comes to the same batches, under the same ids.
    """
    runs: list[list[Batch]] = []
    newest: dict[Arm, tuple[object, list[Batch]]] = {}
    for batch in batches:
        kinds = _kinds(batch)
        before, run = newest.get(batch.arm, (None, []))
        if kinds != before:
            run = []
            runs.append(run)
            newest[batch.arm] = (kinds, run)
        run.append(batch)
    return [_one(run) for run in runs]


def _kinds(batch: Batch) -> object:
    columns = tuple([(name, column.is_text) for name, column in batch.features.items()])
    return batch.shadow, bool(batch.scores), columns


def _one(run: Sequence[Batch]) -> Batch:
    first = run[0]
    if len(run) == 1:
        return first
    return replace(
        first,
        prediction_ids=list(chain.from_iterable(batch.prediction_ids for batch in run)),
        event_times_us=list(chain.from_iterable(batch.event_times_us for batch in run)),
        scores=list(chain.from_iterable(batch.scores for batch in run)),
        features={
            name: joined([(batch.features[name], len(batch.prediction_ids)) for batch in run], text=column.is_text)
            for name, column in first.features.items()
        },
    )
