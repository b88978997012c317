"""What versions answered since the start, counted as the Open Inference Protocol's statistics extension has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from services.inference_gateway.domain.desired import VersionKey
from slipway.clock import Clock

_KEPT = 4096  # endpoints x versions; versions come and go for as long as a gateway runs


@dataclass(slots=True)
class Duration:
    """How often something was done, and the nanoseconds that it took altogether."""

    count: int = 0
    ns: int = 0

    def add(self, count: int, ns: int) -> None:
        """Something was done ``count`` times, in ``ns`` altogether."""
        self.count += count
        self.ns += ns


@dataclass(slots=True)
class Run:
    """One run of a model on a batch of ``rows``, in nanoseconds.

    ``compute_input`` is for making tensors and putting them where a worker finds them, ``compute_infer`` for the worker
    from then on, ``compute_output`` for taking the outputs from there and apart, request by request.
    """

    rows: int
    compute_input: int = 0
    compute_infer: int = 0
    compute_output: int = 0

    @property
    def ns(self) -> int:
        """All of it."""
        return self.compute_input + self.compute_infer + self.compute_output


@dataclass(slots=True)
class Runs:
    """Runs on batches of one size."""

    compute_input: Duration = field(default_factory=Duration)
    compute_infer: Duration = field(default_factory=Duration)
    compute_output: Duration = field(default_factory=Duration)

    def add(self, run: Run, times: int = 1) -> None:
        """Count one run, so many ``times``."""
        taken, inferred, given = self.compute_input, self.compute_infer, self.compute_output
        taken.count += times
        taken.ns += times * run.compute_input
        inferred.count += times
        inferred.ns += times * run.compute_infer
        given.count += times
        given.ns += times * run.compute_output


@dataclass(slots=True)
class Tally:
    """One version under one endpoint.

    ``success``, ``fail``, ``queue`` and ``requests`` count requests, each of which has the whole of its run's times;
    ``rows`` counts rows, ``by_rows`` runs by the rows of their batch.
    """

    last: datetime | None = None
    rows: int = 0
    runs: int = 0
    success: Duration = field(default_factory=Duration)
    fail: Duration = field(default_factory=Duration)
    queue: Duration = field(default_factory=Duration)
    requests: Runs = field(default_factory=Runs)
    by_rows: dict[int, Runs] = field(default_factory=dict)


class Statistics:
    """Counts; the engine tells it once a batch."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tallies: dict[tuple[str, VersionKey], Tally] = {}

    def answered(
        self, endpoint: str, version: VersionKey, run: Run, *, requests: int, rows: int, total_ns: int, queue_ns: int
    ) -> None:
        """A run answered ``requests`` requests of the endpoint, which have ``rows`` of its rows.

        ``total_ns`` (from arrival at the engine to the answer) and ``queue_ns`` (until the run began) are their sums.
        """
        tally = self._tally(endpoint, version)
        tally.rows += rows
        tally.runs += 1
        tally.success.add(requests, total_ns)
        tally.queue.add(requests, queue_ns)
        tally.requests.add(run, requests)
        if (runs := tally.by_rows.get(run.rows)) is None:
            runs = tally.by_rows[run.rows] = Runs()
        runs.add(run)

    def failed(self, endpoint: str, version: VersionKey, *, requests: int, total_ns: int) -> None:
        """Requests that were as the version wants them got no answer; ``total_ns`` is the sum of what they waited."""
        self._tally(endpoint, version).fail.add(requests, total_ns)

    def of(self, endpoint: str, version: VersionKey) -> Tally:
        """What a version answered under an endpoint; zeros if nothing."""
        return self._tallies.get((endpoint, version), Tally())

    def _tally(self, endpoint: str, version: VersionKey) -> Tally:
        key = (endpoint, version)
        if (tally := self._tallies.get(key)) is None:
            if len(self._tallies) >= _KEPT:
                del self._tallies[_stalest(self._tallies)]
            tally = self._tallies[key] = Tally()
        tally.last = self._clock.now()
        return tally


def _stalest(tallies: Mapping[tuple[str, VersionKey], Tally]) -> tuple[str, VersionKey]:
    return min(tallies, key=lambda key: tallies[key].last or datetime.max)
