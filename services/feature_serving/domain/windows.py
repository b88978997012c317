"""The algebra of windows: what events leave behind per hop, how that is merged, and what value it makes.

A partial is what aggregation keeps of the values of one column: their count, their total, the squares of their
distances from their own mean added up (so that a spread survives a large mean, which sums of squares lose), the least
and the greatest. Partials merge in any grouping. Count, least and greatest come out the same however events were
grouped; totals and means too while the sums are exact, as those of whole numbers and halves are; a standard deviation
within rounding. Nothing is ever subtracted, so nothing is left behind by what cancelled.

Arrays of partials have the shape (columns, 5, n): one partial a column and group.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from services.feature_serving.domain.view import Function

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]
COUNT, TOTAL, SQUARES, LEAST, GREATEST = range(5)
FIELDS = 5


def floor(moment_us: int, hop_us: int) -> int:
    """The last multiple of the hop that is not after the moment."""
    return moment_us - moment_us % hop_us


def empty(columns: int, size: int) -> Floats:
    """Partials of no value, which change nothing when they are merged."""
    made = np.zeros((columns, FIELDS, size))
    made[:, LEAST], made[:, GREATEST] = np.inf, -np.inf
    return made


def lift(values: Floats) -> Floats:
    """The partials of single ``values``, of shape (columns, n); NaN is no value."""
    made = empty(*values.shape)
    there = ~np.isnan(values)
    made[:, COUNT] = there
    made[:, TOTAL] = np.where(there, values, 0.0)
    made[:, LEAST] = np.where(there, values, np.inf)
    made[:, GREATEST] = np.where(there, values, -np.inf)
    return made


def merge(partials: Floats, groups: Whole, size: int) -> Floats:
    """One partial for each of the groups 0 to ``size`` - 1; ``groups`` says which each partial is of."""
    made = empty(partials.shape[0], size)
    for column, of_column in zip(partials, made, strict=True):
        of_column[COUNT] = np.bincount(groups, column[COUNT], size)
        of_column[TOTAL] = np.bincount(groups, column[TOTAL], size)
        # Each part's own squares, and those of its mean's distance from the mean of all.
        apart = _mean(column[TOTAL], column[COUNT]) - _mean(of_column[TOTAL], of_column[COUNT])[groups]
        of_column[SQUARES] = np.bincount(groups, column[SQUARES] + column[COUNT] * apart * apart, size)
        np.minimum.at(of_column[LEAST], groups, column[LEAST])
        np.maximum.at(of_column[GREATEST], groups, column[GREATEST])
    return made


def finalise(partials: Floats, function: Function) -> Floats:
    """The values that partials of one column, of shape (5, n), make; NaN is a null."""
    counts: Floats = partials[COUNT]
    made: Floats
    match function:
        case Function.COUNT:
            return counts
        case Function.SUM:
            made = partials[TOTAL]
        case Function.MEAN:
            made = _mean(partials[TOTAL], counts)
        case Function.MIN:
            made = partials[LEAST]
        case Function.MAX:
            made = partials[GREATEST]
        case Function.STDDEV:
            made = np.sqrt(_mean(partials[SQUARES], counts))
    return np.where(counts == 0, np.nan, made)


def _mean(totals: Floats, counts: Floats) -> Floats:
    made: Floats = np.divide(totals, counts, out=np.zeros_like(totals), where=counts > 0)
    return made
