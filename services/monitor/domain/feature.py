"""What versions saw of their features, by window of event time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.monitor.domain.baseline import Baseline, FeatureBaseline
from services.monitor.domain.batch import Batch
from services.monitor.domain.columns import joined


@dataclass(frozen=True, slots=True)
class VersionWindow:
    """What a version answered from ``start_us`` to before ``end_us``, microseconds of event time since 1970."""

    endpoint: str
    model: str
    version: int
    start_us: int
    end_us: int


@dataclass(frozen=True, slots=True)
class FeatureCounts:
    """Rows of a window, and the histograms of its features in the order of the baseline, one behind the other."""

    rows: int
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class FeatureWindow:
    """One feature in one window, beside its baseline. ``counts`` are by bin, the missing last."""

    window: VersionWindow
    feature: str
    importance: float
    counts: tuple[int, ...]
    distance: float | None
    threshold: float | None

    @property
    def rows(self) -> int:
        """Rows, those without a value included."""
        return sum(self.counts)

    @property
    def nulls(self) -> int:
        """Rows without a value."""
        return self.counts[-1]

    @property
    def null_rate(self) -> float:
        """Their share."""
        return self.nulls / self.rows if self.rows else 0.0

    @property
    def drifted(self) -> bool:
        """Whether the distance is above the threshold."""
        return self.distance is not None and self.threshold is not None and self.distance > self.threshold


def count_features(
    batches: Iterable[Batch], baselines: Mapping[tuple[str, int], Baseline], window_us: int
) -> dict[VersionWindow, FeatureCounts]:
    """Histograms of the rows of ``batches`` by version and window, of versions that have a baseline."""
    grouped: defaultdict[tuple[str, str, int], list[Batch]] = defaultdict(list)
    for batch in batches:
        grouped[batch.arm.endpoint, batch.arm.model, batch.arm.version].append(batch)
    found: dict[VersionWindow, FeatureCounts] = {}
    for (endpoint, model, version), some in grouped.items():
        baseline = baselines.get((model, version))
        if baseline is None or not baseline.features:
            continue
        for number, counts in _by_window(some, baseline, window_us):
            window = VersionWindow(endpoint, model, version, number * window_us, (number + 1) * window_us)
            found[window] = counts
    return found


def _by_window(batches: list[Batch], baseline: Baseline, window_us: int) -> Iterator[tuple[int, FeatureCounts]]:
    times = np.concatenate([np.array(batch.event_times_us, dtype=np.int64) for batch in batches])
    numbers, inverse = np.unique(times // window_us, return_inverse=True)
    places = [np.flatnonzero(inverse == at) for at in range(len(numbers))]
    counted: list[list[npt.NDArray[np.int64]]] = [[] for _ in numbers]
    for feature in baseline.features:
        parts = [(batch.features.get(feature.name), len(batch.event_times_us)) for batch in batches]
        text = not feature.edges and any(column is not None and column.is_text for column, _ in parts)
        column = joined(parts, text=text)
        for at, rows in enumerate(places):
            some = column if len(places) == 1 else column.rows(rows)
            counted[at].append(feature.histogram(some, len(rows)))
    for number, rows, histograms in zip(numbers.tolist(), places, counted, strict=True):
        yield number, FeatureCounts(len(rows), tuple(np.concatenate(histograms).tolist()))


def told(window: VersionWindow, counts: FeatureCounts, baseline: Baseline, floor: float) -> Iterator[FeatureWindow]:
    """Each feature of a window beside its baseline, by name."""
    by_name = sorted(baseline.split(counts.counts), key=lambda one: one[0].name)
    for feature, some in by_name:
        yield _told(window, feature, some, floor)


def _told(window: VersionWindow, feature: FeatureBaseline, counts: tuple[int, ...], floor: float) -> FeatureWindow:
    return FeatureWindow(
        window,
        feature.name,
        feature.importance,
        counts,
        feature.distance(counts),
        feature.threshold(sum(counts), floor),
    )
