"""Histograms that take arrays: what one value costs elsewhere, a batch's values cost here."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import add
from threading import Lock
from typing import TYPE_CHECKING

from prometheus_client import REGISTRY
from prometheus_client.metrics_core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
SIZES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 4096.0)


@dataclass(frozen=True, slots=True)
class Distribution:
    """Values counted in buckets: ``counts`` has one more than ``ends``, for what lies above the last."""

    ends: tuple[float, ...]
    counts: tuple[int, ...]
    total: float


_SERVED: dict[str, Histogram] = {}


class Histogram(Collector):
    """A Prometheus histogram by labels, served with the process's other metrics from when it is registered.

    ``bounds`` are the buckets' upper ends, inclusive, ascending; the last bucket has none.
    """

    def __init__(self, name: str, description: str, labels: Sequence[str], bounds: Sequence[float] = SECONDS) -> None:
        self._name = name
        self._description = description
        self._labels = tuple(labels)
        self._ends = tuple(bounds)
        self._bounds: npt.NDArray[np.float64] | None = None
        self._counts: dict[tuple[str, ...], list[int]] = {}
        self._sums: dict[tuple[str, ...], float] = {}
        self._lock = Lock()  # the thread that serves metrics reads

    def served(self) -> Histogram:
        """The same, from now on among the process's metrics; another one of its name makes place."""
        if (other := _SERVED.pop(self._name, None)) is not None:
            REGISTRY.unregister(other)
        _SERVED[self._name] = self
        REGISTRY.register(self)
        return self

    def add_one(self, labels: tuple[str, ...], value: float) -> None:
        """Count a single value: in this way it costs a microsecond."""
        place = bisect_left(self._ends, value)
        with self._lock:
            self._of(labels)[place] += 1
            self._sums[labels] += value

    def add(self, labels: tuple[str, ...], values: npt.ArrayLike) -> None:
        """Count values ([n])."""
        # Every server counts its calls here; only those that have arrays need numpy, a quarter of a quick start.
        import numpy as np  # noqa: PLC0415

        given = np.asarray(values, dtype=np.float64)
        if self._bounds is None:
            self._bounds = np.array(self._ends)
        places = np.searchsorted(self._bounds, given, side="left")
        with self._lock:
            counts = self._of(labels)
            for place, more in enumerate(np.bincount(places).tolist()):
                counts[place] += more
            self._sums[labels] += float(given.sum())

    def read(self, **labels: str) -> Distribution:
        """All that was counted under these labels so far, whatever the others are."""
        wanted = [(self._labels.index(name), value) for name, value in labels.items()]
        counts, total = [0] * (len(self._ends) + 1), 0.0
        with self._lock:
            for key, found in self._counts.items():
                if all(key[place] == value for place, value in wanted):
                    counts = list(map(add, counts, found))
                    total += self._sums[key]
        return Distribution(self._ends, tuple(counts), total)

    def _of(self, labels: tuple[str, ...]) -> list[int]:
        counts = self._counts.get(labels)
        if counts is None:
            counts = self._counts[labels] = [0] * (len(self._ends) + 1)
            self._sums[labels] = 0.0
        return counts

    def collect(self) -> Iterable[Metric]:
        """See prometheus_client's Collector."""
        family = HistogramMetricFamily(self._name, self._description, labels=self._labels)
        with self._lock:
            found = [(labels, list(accumulate(counts)), self._sums[labels]) for labels, counts in self._counts.items()]
        ends = [*(f"{end:g}" for end in self._ends), "+Inf"]
        for labels, counts, total in found:
            family.add_metric(labels, list(zip(ends, counts, strict=True)), total)
        yield family

    def describe(self) -> Iterable[Metric]:
        """See prometheus_client's Collector: what is registered is not collected for it."""
        return [HistogramMetricFamily(self._name, self._description, labels=self._labels)]
