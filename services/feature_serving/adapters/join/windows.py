"""Windowed views: the events of [floor(q, hop) - window, floor(q, hop)), folded hop by hop.

DuckDB finds the events and sorts them, by all that they hold; numpy folds them in that order into one partial result
a hop, and the partials of each window. So the sums round alike whatever the threads, and no window is the difference
of two others, which would leave behind what cancelled.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from services.feature_serving.adapters.join.found import Found
from services.feature_serving.adapters.join.keys import Keyed
from services.feature_serving.adapters.join.source import Opened
from services.feature_serving.adapters.join.spine import Spine
from services.feature_serving.domain import windows
from services.feature_serving.domain.recipe import Ingredient
from services.feature_serving.domain.status import Status
from services.feature_serving.domain.view import Function
from services.feature_serving.domain.windows import Floats, Whole

_PAIRS = 4_000_000
_BATCH_ROWS = 1_000_000


@dataclass(frozen=True, slots=True)
class Asked:
    """The distinct pairs of entity and hop that are asked about, sorted; ``of_rows`` finds each spine row's pair."""

    entities: Whole
    hops: Whole
    of_rows: Whole
    known: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Ranges:
    """Where each asked window's partials start and end."""

    starts: Whole
    ends: Whole

    def fold(self, reduce: np.ufunc, values: Floats, nothing: float) -> Floats:
        """One result a window, ``nothing`` for an empty one."""
        bounds = np.empty(2 * len(self.starts), np.int64)
        bounds[0::2], bounds[1::2] = self.starts, self.ends
        found: Floats = reduce.reduceat(values, bounds)[0::2] if len(bounds) else np.empty(0)
        return np.where(self.ends > self.starts, found, nothing)


def window_values(connection: duckdb.DuckDBPyConnection, spine: Spine, opened: Opened, keyed: Keyed) -> Found:
    """Each feature for each row of the spine, null where the entity had no event before. Raises Unusable.

    The cut-off needs no word here: no event counts that is not older than its row's moment, and no row is after it.
    """
    ingredient = opened.ingredient
    hop_us = ingredient.hop_us
    if not spine.moments_us.size:
        return Found({one.feature: pa.array([], pa.null()) for one in ingredient.windows}, np.empty(0, np.int64))
    columns = list(dict.fromkeys(one.column for one in ingredient.windows))
    names = [f"v{n}" for n in range(len(columns))]
    moment = opened.moment(ingredient.event_time_column)
    values = {name: opened.value(column, "DOUBLE") for name, column in zip(names, columns, strict=True)}
    asked = _asked(connection, spine, keyed, moment, ingredient)
    # The source's rows from the first window's start to the last one's end.
    end_us = int(asked.hops.max()) * hop_us
    first_us = int(asked.hops.min()) * hop_us - max(one.window_us for one in ingredient.windows)
    reader = connection.execute(
        f"SELECT * FROM ({keyed.select({'moment': moment, **values})}) "
        f"WHERE moment >= {first_us} AND moment < {end_us} ORDER BY ALL"
    ).to_arrow_reader(_BATCH_ROWS)
    owners, hops, partials = _partials(reader, names, hop_us)
    origin, span = first_us // hop_us, (end_us - first_us) // hop_us + 1
    places, ends = owners * span + hops - origin, asked.entities * span + asked.hops - origin
    made, old = {}, _old(spine, ingredient)
    for one in ingredient.windows:
        function = Function(one.function)
        ranges = Ranges(np.searchsorted(places, ends - one.window_us // hop_us), np.searchsorted(places, ends))
        merged = _merged(partials[columns.index(one.column)], ranges, function)
        made[one.feature] = _column(asked, windows.finalise(merged, function), function, old)
    return Found(made, _lacks(asked, old))


def _asked(
    connection: duckdb.DuckDBPyConnection, spine: Spine, keyed: Keyed, moment: str, ingredient: Ingredient
) -> Asked:
    """What is asked, once each, and whether its entity had an event before."""
    first = connection.execute(
        f"SELECT entity, min(moment) FROM ({keyed.select({'moment': moment})}) WHERE moment IS NOT NULL GROUP BY entity"
    ).fetchnumpy()
    first_us = np.full(keyed.count + 1, np.iinfo(np.int64).max)
    owners, moments = first.values()
    first_us[np.asarray(owners, np.int64)] = moments
    hops = np.floor_divide(spine.moments_us, ingredient.hop_us)
    # A row without an entity takes the last place, whose entity never had an event.
    owners = np.where(keyed.of_rows < 0, keyed.count, keyed.of_rows)
    first_hop = int(hops.min())
    span = int(hops.max()) + 1 - first_hop
    pairs, of_rows = np.unique(owners * span + (hops - first_hop), return_inverse=True)
    entities, hops = pairs // span, pairs % span + first_hop
    return Asked(entities, hops, of_rows, first_us[entities] < hops * ingredient.hop_us)


def _partials(reader: pa.RecordBatchReader, names: Sequence[str], hop_us: int) -> tuple[Whole, Whole, Floats]:
    """Each entity's hops in order, and the columns' partials of them. A hop may stand twice, at a batch's end.

    The last of the partials is of nothing: where a range that ends at the end ends.
    """
    owners, hops, partials = [np.empty(0, np.int64)], [np.empty(0, np.int64)], []
    for batch in reader:
        if batch.num_rows == 0:
            continue
        entities = batch.column("entity").to_numpy()
        at = np.floor_divide(batch.column("moment").to_numpy(), hop_us)
        begins = np.append(True, (entities[1:] != entities[:-1]) | (at[1:] != at[:-1]))
        owners.append(entities[begins])
        hops.append(at[begins])
        values = np.stack([_floats(batch.column(name)) for name in names])
        partials.append(windows.merge(windows.lift(values), np.cumsum(begins) - 1, int(begins.sum())))
    partials.append(windows.empty(len(names), 1))
    return np.concatenate(owners), np.concatenate(hops), np.concatenate(partials, axis=2)


def _floats(column: pa.Array[Any]) -> Floats:
    values: Floats = column.fill_null(float("nan")).to_numpy(zero_copy_only=False)
    return values


def _merged(partials: Floats, ranges: Ranges, function: Function) -> Floats:
    """The partial of each range, of one column's of shape (5, n): as much of it as the function reads."""
    made: Floats = windows.empty(1, len(ranges.starts))[0]
    made[windows.COUNT] = ranges.fold(np.add, partials[windows.COUNT], 0.0)
    if function in {Function.SUM, Function.MEAN, Function.STDDEV}:
        made[windows.TOTAL] = ranges.fold(np.add, partials[windows.TOTAL], 0.0)
    if function is Function.STDDEV:
        made[windows.SQUARES] = _squares(partials, ranges, _mean(made))
    if function is Function.MIN:
        made[windows.LEAST] = ranges.fold(np.minimum, partials[windows.LEAST], np.inf)
    if function is Function.MAX:
        made[windows.GREATEST] = ranges.fold(np.maximum, partials[windows.GREATEST], -np.inf)
    return made


def _squares(partials: Floats, ranges: Ranges, means: Floats) -> Floats:
    """Each partial's own squares, and those of its mean's distance from the mean of its range, added up."""
    of_partials = _mean(partials)
    found = [np.empty(0)]
    for part in _parts(ranges):
        starts, ends = ranges.starts[part], ranges.ends[part]
        sizes = ends - starts
        begins = np.cumsum(sizes) - sizes
        places = np.repeat(starts - begins, sizes) + np.arange(int(sizes.sum()))
        apart = of_partials[places] - np.repeat(means[part], sizes)
        terms = partials[windows.SQUARES][places] + partials[windows.COUNT][places] * apart * apart
        found.append(Ranges(begins, begins + sizes).fold(np.add, np.append(terms, 0.0), 0.0))
    return np.concatenate(found)


def _mean(partials: Floats) -> Floats:
    means: Floats = np.nan_to_num(windows.finalise(partials, Function.MEAN))
    return means


def _parts(ranges: Ranges) -> Iterator[slice]:
    """Runs of windows that hold no more partials together than fit into memory, or one window."""
    upto = np.cumsum(ranges.ends - ranges.starts)
    start = 0
    while start < len(upto):
        before = int(upto[start - 1]) if start else 0
        end = max(start + 1, int(np.searchsorted(upto, before + _PAIRS, side="right")))
        yield slice(start, end)
        start = end


def _old(spine: Spine, ingredient: Ingredient) -> npt.NDArray[np.bool_]:
    """The rows for which a value of their last boundary is older than the view allows."""
    never = np.iinfo(np.int64).max
    return spine.moments_us % ingredient.hop_us > (never if ingredient.max_age_us is None else ingredient.max_age_us)


def _lacks(asked: Asked, old: npt.NDArray[np.bool_]) -> Whole:
    """The status of a null in each row."""
    unfresh = np.where(old, Status.OUTSIDE_MAX_AGE, Status.NULL_VALUE)
    lacks: Whole = np.where(asked.known[asked.of_rows], unfresh, Status.NOT_FOUND)
    return lacks


def _column(asked: Asked, values: Floats, function: Function, old: npt.NDArray[np.bool_]) -> pa.Array[Any]:
    """The values row by row: null where the entity was not known, where nothing makes no value, and where too old."""
    absent = (~asked.known | np.isnan(values))[asked.of_rows] | old
    if function is Function.COUNT:
        return pa.array(values.astype(np.int64)[asked.of_rows], mask=absent)
    return pa.array(values[asked.of_rows], mask=absent)
