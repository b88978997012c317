"""How far data has moved from the data that a model was trained on.

Owns
    the histogram of a feature, its distance from another, what of a distance is noise, and the baseline that a version
    is registered with: :func:`measure` of its features, :func:`performance_baseline` of its scores.

Promises
    Histograms of parts add up to the histogram of the whole, to the row. A distance (Jensen-Shannon, base 2) is 0 of
    equal shares, 1 of shares that have nothing in common, and the same from either side. The same input gives the same
    baseline: every bootstrap is seeded. A missing value is a bin of its own, so that values which vanish are a
    distance too. It needs numpy alone, knows no service, and keeps nothing.

Fails
    InvalidInput names the column, the list or the option that can't be measured, and the mend.
"""

from slipway.drift.bins import edges_of, histogram, likely_categories
from slipway.drift.distance import chance, jensen_shannon
from slipway.drift.features import measure
from slipway.drift.performance import performance_baseline
from slipway.drift.spread import spread

__all__ = [
    "chance",
    "edges_of",
    "histogram",
    "jensen_shannon",
    "likely_categories",
    "measure",
    "performance_baseline",
    "spread",
]
