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
_FEW = 64  # values that are less work one by one than as an array


class Series:
    """What is counted under one set of labels; kept by whoever counts there often."""

    __slots__ = ("_ends", "_lock", "counts", "total")

    def __init__(self, ends: tuple[float, ...], lock: Lock) -> None:
        self._ends = ends
        self._lock = lock
        self.counts = [0] * (len(ends) + 1)
        self.total = 0.0

    def add_one(self, value: float) -> None:
        """Count a single value."""
        place = bisect_left(self._ends, value)
        with self._lock:
            self.counts[place] += 1
            self.total += value

    def add_few(self, values: Sequence[float]) -> None:
        """Count some values."""
        ends, counts = self._ends, self.counts
        first, last = bisect_left(ends, min(values)), bisect_left(ends, max(values))
        with self._lock:
            if first == last:  # nearly always, of what came and went together
                counts[first] += len(values)
            else:
                for value in values:
                    counts[bisect_left(ends, value, first, last)] += 1
            self.total += sum(values)


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
        self._series: dict[tuple[str, ...], Series] = {}
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
        self.of(labels).add_one(value)

    def add(self, labels: tuple[str, ...], values: Sequence[float]) -> None:
        """Count values."""
        if not len(values):
            return
        if len(values) <= _FEW:
            self.of(labels).add_few(values)
            return
        # Every server counts its calls here; only those that have arrays need numpy, a quarter of a quick start.
        import numpy as np  # noqa: PLC0415

        given = np.asarray(values, dtype=np.float64)
        if self._bounds is None:
            self._bounds = np.array(self._ends)
        places = np.searchsorted(self._bounds, given, side="left")
        series = self.of(labels)
        with self._lock:
            for place, more in enumerate(np.bincount(places).tolist()):
                series.counts[place] += more
            series.total += float(given.sum())

    def read(self, **labels: str) -> Distribution:
        """All that was counted under these labels so far, whatever the others are."""
        wanted = [(self._labels.index(name), value) for name, value in labels.items()]
        counts, total = [0] * (len(self._ends) + 1), 0.0
        with self._lock:
            for key, found in self._series.items():
                if all(key[place] == value for place, value in wanted):
                    counts = list(map(add, counts, found.counts))
                    total += found.total
        return Distribution(self._ends, tuple(counts), total)

    def of(self, labels: tuple[str, ...]) -> Series:
        """What is counted under these labels, and will be."""
        series = self._series.get(labels)
        if series is None:
            with self._lock:
                series = self._series.setdefault(labels, Series(self._ends, self._lock))
        return series

    def collect(self) -> Iterable[Metric]:
        """See prometheus_client's Collector."""
        family = HistogramMetricFamily(self._name, self._description, labels=self._labels)
        with self._lock:
            found = [(labels, list(accumulate(one.counts)), one.total) for labels, one in self._series.items()]
        ends = [*(f"{end:g}" for end in self._ends), "+Inf"]
        for labels, counts, total in found:
            family.add_metric(labels, list(zip(ends, counts, strict=True)), total)
        yield family

    def describe(self) -> Iterable[Metric]:
        """See prometheus_client's Collector: what is registered is not collected for it."""
        return [HistogramMetricFamily(self._name, self._description, labels=self._labels)]
