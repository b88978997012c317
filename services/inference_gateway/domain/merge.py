"""Requests of one layout as one batch: what makes the work of many requests the work of one."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace

import numpy as np

from services.inference_gateway.domain.batch import Batch, Origin
from services.inference_gateway.domain.columns import Column


def layout(batch: Batch) -> Hashable:
    """What two requests must share to be merged: endpoint, protocol, tenant, priority, and their columns' types."""
    return (
        batch.endpoint,
        batch.protocol.value,
        batch.tenant,
        batch.priority,
        not batch.ids,
        tuple([(one.name, one.values.dtype.char, one.values.shape[1:]) for one in batch.features]),
        tuple([(one.name, one.kind.value) for one in batch.entity_keys]),
    )


def merged(batches: Sequence[Batch], began_s: Sequence[float]) -> Batch:
    """The rows of requests of one :func:`layout`, one after the other, and where each comes from.

    ``began_s`` are the monotonic times at which they were taken in. Nobody waits for the batch any more when nobody
    waits for any of them.
    """
    first = batches[0]
    origins = tuple(
        [Origin(one.rows, one.tenant, one.trace_id, began) for one, began in zip(batches, began_s, strict=True)]
    )
    if len(batches) == 1:
        return replace(first, origins=origins)
    return Batch(
        endpoint=first.endpoint,
        rows=sum([one.rows for one in batches]),
        ids=tuple([name for one in batches for name in one.ids]) if first.ids else (),
        event_times_us=np.concatenate([one.event_times_us for one in batches]),
        timed=first.timed,
        entity_keys=_stacked([one.entity_keys for one in batches]),
        features=_stacked([one.features for one in batches]),
        protocol=first.protocol,
        tenant=first.tenant,
        priority=first.priority,
        deadline_s=latest([one.deadline_s for one in batches]),
        origins=origins,
    )


def latest(deadlines: Sequence[float | None]) -> float | None:
    """When nobody waits any more, if these are the ends of each one's patience; None: somebody waits for ever."""
    return None if None in deadlines else max(one for one in deadlines if one is not None)


def _stacked(groups: Sequence[Sequence[Column]]) -> tuple[Column, ...]:
    return tuple([_joined(columns) for columns in zip(*groups, strict=True)])


def _joined(columns: Sequence[Column]) -> Column:
    first = columns[0]
    values = np.concatenate([one.values for one in columns])
    if not any(len(one.absent) for one in columns):
        return Column(first.name, first.kind, values)
    absent: list[int] = []
    start = 0
    for one in columns:
        absent += [start + row for row in one.absent]
        start += len(one.values)
    return Column(first.name, first.kind, values, absent)
