"""Histograms that count many values at once: what one costs elsewhere, ten cost here."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import add
from threading import Lock

from prometheus_client import REGISTRY
from prometheus_client.metrics_core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
SIZES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 4096.0)


@dataclass(frozen=True, slots=True)
class Distribution:
    """Values counted in buckets: ``counts`` has one more than ``ends``, for what lies above the last."""

    ends: tuple[float, ...]
    counts: tuple[int, ...]
    total: float


_SERVED: dict[str, Histogram] = {}
_MANY = 256  # values that are sorted into their buckets together


class Series:
    """What is counted under one set of labels; kept by whoever counts there often.

    Values are put by and counted many at a time, or when somebody reads: a value costs a tenth of a microsecond.
    """

    __slots__ = ("_counts", "_ends", "_lock", "_total", "_uncounted")

    def __init__(self, ends: tuple[float, ...]) -> None:
        self._ends = ends
        self._lock = Lock()  # the thread that serves metrics reads
        self._uncounted: list[float] = []
        self._counts = [0] * (len(ends) + 1)
        self._total = 0.0

    def add_one(self, value: float) -> None:
        """Count a value."""
        self._uncounted.append(value)
        if len(self._uncounted) >= _MANY:
            self.read()

    def add(self, values: Iterable[float]) -> None:
        """Count values."""
        self._uncounted.extend(values)
        if len(self._uncounted) >= _MANY:
            self.read()

    def read(self) -> tuple[list[int], float]:
        """How many are in each bucket, and the sum of all."""
        with self._lock:
            # Another thread may add some meanwhile: those stay in the list, which is never another one.
            values = sorted(self._uncounted[:])
            del self._uncounted[: len(values)]
            below = 0
            for place, end in enumerate(self._ends if values else ()):
                upto = bisect_right(values, end, below)
                self._counts[place] += upto - below
                below = upto
            self._counts[-1] += len(values) - below
            self._total += sum(values)
            return self._counts[:], self._total


class Histogram(Collector):
    """A Prometheus histogram by labels, served with the process's other metrics from when it is registered.

    ``bounds`` are the buckets' upper ends, inclusive, ascending; the last bucket has none.
    """

    def __init__(self, name: str, description: str, labels: Sequence[str], bounds: Sequence[float] = SECONDS) -> None:
        self._name = name
        self._description = description
        self._labels = tuple(labels)
        self._ends = tuple(bounds)
        self._series: dict[tuple[str, ...], Series] = {}

    def served(self) -> Histogram:
        """The same, from now on among the process's metrics; another one of its name makes place."""
        if (other := _SERVED.pop(self._name, None)) is not None:
            REGISTRY.unregister(other)
        _SERVED[self._name] = self
        REGISTRY.register(self)
        return self

    def add_one(self, labels: tuple[str, ...], value: float) -> None:
        """Count a single value."""
        self.of(labels).add_one(value)

    def add(self, labels: tuple[str, ...], values: Iterable[float]) -> None:
        """Count values."""
        self.of(labels).add(values)

    def of(self, labels: tuple[str, ...]) -> Series:
        """What is counted under these labels, and will be."""
        series = self._series.get(labels)
        return self._series.setdefault(labels, Series(self._ends)) if series is None else series

    def read(self, **labels: str) -> Distribution:
        """All that was counted under these labels so far, whatever the others are."""
        wanted = [(self._labels.index(name), value) for name, value in labels.items()]
        counts, total = [0] * (len(self._ends) + 1), 0.0
        for key, series in list(self._series.items()):
            if all(key[place] == value for place, value in wanted):
                found, more = series.read()
                counts = list(map(add, counts, found))
                total += more
        return Distribution(self._ends, tuple(counts), total)

    def collect(self) -> Iterable[Metric]:
        """See prometheus_client's Collector."""
        family = HistogramMetricFamily(self._name, self._description, labels=self._labels)
        ends = [*(f"{end:g}" for end in self._ends), "+Inf"]
        for labels, series in list(self._series.items()):
            counts, total = series.read()
            family.add_metric(labels, list(zip(ends, accumulate(counts), strict=True)), total)
        yield family

    def describe(self) -> Iterable[Metric]:
        """See prometheus_client's Collector: what is registered is not collected for it."""
        return [HistogramMetricFamily(self._name, self._description, labels=self._labels)]
