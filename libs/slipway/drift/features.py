"""The baseline of a version's features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from slipway.client.types.baselines import Baseline, FeatureBaseline, PerformanceBaseline
from slipway.drift.bins import as_numbers, edges_of, histogram, likely_categories
from slipway.drift.blocks import Blocks
from slipway.drift.spread import spread
from slipway.errors import invalid_field

NUMBER, TEXT = "number", "text"
WEEK = timedelta(days=7)
Column = Sequence[Any] | npt.NDArray[Any]


def measure(
    columns: Mapping[str, Column],
    kinds: Mapping[str, str],
    event_times: Sequence[datetime] | npt.NDArray[Any],
    importances: Mapping[str, float],
    *,
    block: timedelta = WEEK,
    bins: int = 20,
    seed: int = 0,
    performance: PerformanceBaseline | None = None,
) -> Baseline:
    """What training data looks like: a histogram a feature on edges of its quantiles, and how blocks differ.

    ``kinds`` says ``number`` or ``text`` by column; one that is not named is a number. ``importances`` are of any scale
    (shares are made of them); what is not named has none. ``event_times`` are as in ``slipway.drift.blocks``. The other
    part, ``performance``, comes from :func:`performance_baseline`. Raises InvalidInput naming the column.
    """
    rows = len(event_times)
    blocks = Blocks(event_times, block, rows)
    shares = _shares(columns, importances)
    features = []
    for name, column in columns.items():
        if len(column) != rows:
            raise invalid_field(f"columns[{name}]", f"has {len(column)} values for {rows} event times; give one each")
        values, scheme = _binned(name, column, kinds.get(name, NUMBER), bins)
        features.append(_feature(name, shares[name], scheme, scheme.by_block(blocks.split(values)), seed))
    return Baseline(features=tuple(features), performance=performance, block=block, row_count=rows)


@dataclass(frozen=True, slots=True)
class _Scheme:
    """The bins of one feature: ``edges`` of a number, ``categories`` of a text (else None)."""

    edges: tuple[float, ...] = ()
    categories: tuple[str, ...] | None = None

    def by_block(self, parts: Sequence[npt.NDArray[Any]]) -> npt.NDArray[np.int64]:
        """A histogram a block."""
        edges = self.edges if self.categories is None else None
        width = len(self.edges if self.categories is None else self.categories) + 2
        counted = [histogram(part, edges=edges, categories=self.categories) for part in parts]
        return np.array(counted, dtype=np.int64).reshape(-1, width)


def _binned(name: str, column: Column, kind: str, bins: int) -> tuple[npt.NDArray[Any], _Scheme]:
    if kind == TEXT:
        texts: npt.NDArray[Any] = np.asarray(column, dtype=object)
        return texts, _Scheme(categories=likely_categories(texts, bins))
    if kind == NUMBER:
        numbers = _numbers(name, column)
        return numbers, _Scheme(edges=tuple(edges_of(numbers, bins).tolist()))
    raise invalid_field(f"kinds[{name}]", f"is {kind!r}; give {NUMBER} or {TEXT}")


def _feature(
    name: str, importance: float, scheme: _Scheme, counted: npt.NDArray[np.int64], seed: int
) -> FeatureBaseline:
    total = counted.sum(axis=0)
    return FeatureBaseline(
        name=name,
        importance=importance,
        edges=scheme.edges,
        categories=scheme.categories or (),
        counts=tuple(total[:-1].tolist()),
        null_count=int(total[-1]),
        spread=spread(counted, seed),
    )


def _numbers(name: str, column: Column) -> npt.NDArray[np.float64]:
    try:
        return as_numbers(column)
    except (TypeError, ValueError):
        raise invalid_field(
            f"columns[{name}]", f"holds what is no number; say kinds[{name}] = {TEXT!r} or give numbers"
        ) from None


def _shares(columns: Mapping[str, Column], importances: Mapping[str, float]) -> dict[str, float]:
    told = {name: float(importances.get(name, 0.0)) for name in columns}
    for name, value in told.items():
        if not (np.isfinite(value) and value >= 0):
            raise invalid_field(f"importances[{name}]", f"is {value}; give a number of 0 or more")
    total = sum(told.values())
    return {name: value / total if total else 0.0 for name, value in told.items()}
