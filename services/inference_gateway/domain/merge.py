"""Requests of one layout as one batch: what makes the work of many requests the work of one."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import chain
from typing import Any

import numpy as np

from services.inference_gateway.domain.batch import Batch, Origin
from services.inference_gateway.domain.block import Block, joined
from services.inference_gateway.domain.columns import Array, Column


def layout(batch: Batch) -> Hashable:
    """What two requests must share to be merged: endpoint, protocol, tenant, priority, and their columns' types."""
    return (
        batch.endpoint,
        batch.protocol.value,
        batch.tenant,
        batch.priority,
        not batch.ids,
        tuple([(one.name, _form(one.values.dtype), one.values.shape[1:]) for one in batch.features]),
        tuple([(one.name, one.kind.value) for one in batch.entity_keys]),
    )


def same_layout(one: Batch, other: Batch) -> bool:
    """Whether two requests have one :func:`layout`, found out without making it."""
    keys = other.entity_keys
    if (
        one.endpoint != other.endpoint
        or one.protocol is not other.protocol
        or one.tenant != other.tenant
        or one.priority != other.priority
        or (not one.ids) is not (not other.ids)
        or len(one.entity_keys) != len(keys)
    ):
        return False
    if (one.alike is None or one.alike is not other.alike) and not _same_columns(one.features, other.features):
        return False
    for place, mine in enumerate(one.entity_keys if keys else ()):
        if mine.name != keys[place].name or mine.kind is not keys[place].kind:
            return False
    return True


def _same_columns(some: Sequence[Column], others: Sequence[Column]) -> bool:
    if len(some) != len(others):
        return False
    for place, mine in enumerate(some):
        its = others[place]
        a, b = mine.values, its.values
        if mine.name != its.name or (a.dtype is not b.dtype and _form(a.dtype) != _form(b.dtype)):
            return False
        if a.shape != b.shape and a.shape[1:] != b.shape[1:]:
            return False
    return True


def _form(dtype: np.dtype[Any]) -> tuple[str, str]:
    return dtype.char, dtype.byteorder


def merged(batches: Sequence[Batch], began_s: Sequence[float]) -> Batch:
    """The rows of requests of one :func:`layout`, one after the other, and where each comes from.

    ``began_s`` are the monotonic times at which they were taken in. Nobody waits for the batch any more when nobody
    waits for any of them.
    """
    first = batches[0]
    if len(batches) == 1:
        return first if first.origins else first.of(_origins(first, began_s[0]))
    origins = tuple(chain.from_iterable(map(_origins, batches, began_s)))
    return Batch(
        endpoint=first.endpoint,
        rows=sum([one.rows for one in batches]),
        ids=tuple(chain.from_iterable([one.ids for one in batches])) if first.ids else (),
        event_times_us=np.concatenate([one.event_times_us for one in batches]),
        timed=first.timed,
        entity_keys=tuple(stacked([one.entity_keys for one in batches])) if first.entity_keys else (),
        features=stacked([one.features for one in batches]),
        protocol=first.protocol,
        tenant=first.tenant,
        priority=first.priority,
        deadline_s=latest([one.deadline_s for one in batches]),
        origins=origins,
    )


def _origins(batch: Batch, began_s: float) -> tuple[Origin, ...]:
    return batch.origins or (Origin(batch.rows, batch.tenant, batch.trace_id, began_s),)


def latest(deadlines: Sequence[float | None]) -> float | None:
    """When nobody waits any more, if these are the ends of each one's patience; None: somebody waits for ever."""
    return None if None in deadlines else max(one for one in deadlines if one is not None)


def stacked(groups: Sequence[Sequence[Column]]) -> Sequence[Column]:
    """The columns of several requests, the rows of one after those of another; each has the same, in one order."""
    first = groups[0]
    if len(blocks := [one for one in groups if isinstance(one, Block)]) == len(groups):
        return joined(blocks)
    if len(first) > 1 and all(_is_one_number(one.values, first[0].values.dtype) for one in first):
        every = [one for columns in groups for one in columns]
        if len(every) == sum([len(one.values) for one in every]) and not sum([len(one.absent) for one in every]):
            return _side_by_side(first, every)
    return tuple([_joined(columns) for columns in zip(*groups, strict=True)])


def _is_one_number(values: Array, dtype: np.dtype[Any]) -> bool:
    return values.ndim == 1 and values.dtype == dtype and dtype.kind in "fiub"


def _side_by_side(first: Sequence[Column], every: Sequence[Column]) -> tuple[Column, ...]:
    """Columns of one number each, of requests of one row each: by one copy of all instead of one a column."""
    numbers: list[Any] = [one.values for one in every]
    block = np.frombuffer(b"".join(numbers), first[0].values.dtype)
    lines = np.ascontiguousarray(block.reshape(-1, len(first)).T)
    return tuple([Column(one.name, one.kind, line) for one, line in zip(first, lines, strict=True)])


def _joined(columns: Sequence[Column]) -> Column:
    first = columns[0]
    values = np.concatenate([one.values for one in columns])
    if not sum([len(one.absent) for one in columns]):
        return Column(first.name, first.kind, values)
    absent: list[int] = []
    start = 0
    for one in columns:
        absent += [start + row for row in one.absent]
        start += len(one.values)
    return Column(first.name, first.kind, values, absent)
