"""What a gateway counted since it started, and what it does now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate


@dataclass(frozen=True)
class Distribution:
    """Values counted in buckets, whose upper ends are inclusive; ``counts`` has one more, for those above the last."""

    upper_ends: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()
    total: float = 0.0

    @property
    def count(self) -> int:
        """How many values."""
        return sum(self.counts)

    @property
    def mean(self) -> float | None:
        """Their mean; None where there is none."""
        return self.total / self.count if self.count else None

    def quantile(self, share: float) -> float | None:
        """What ``share`` (0 to 1) of the values do not exceed, to within a bucket; None where there is none.

        Of what lies above the last end, that end is all that is known.
        """
        if not self.count:
            return None
        wanted = share * self.count
        lower = 0.0
        for end, upto, inside in zip(self.upper_ends, accumulate(self.counts), self.counts, strict=False):
            if inside and upto >= wanted:
                return lower + (end - lower) * (1 - (upto - wanted) / inside)
            lower = end
        return lower

    def since(self, earlier: Distribution) -> Distribution:
        """What was counted after ``earlier``; all of it where that is none of the same counting."""
        same = self.upper_ends == earlier.upper_ends and len(self.counts) == len(earlier.counts)
        if not same or any(now < before for now, before in zip(self.counts, earlier.counts, strict=True)):
            return self
        counts = [now - before for now, before in zip(self.counts, earlier.counts, strict=True)]
        return Distribution(self.upper_ends, tuple(counts), self.total - earlier.total)


@dataclass(frozen=True)
class ArmStatistics:
    """What an arm answered: of its requests the seconds to the answer, those to the batch's start, and the rows.

    ``failed_requests`` got no answer from the version. A ``shadow`` answers nobody, and counts nothing here.
    """

    route: str
    model: str
    version: int
    weight: int
    shadow: bool = False
    request_seconds: Distribution = Distribution()
    queue_seconds: Distribution = Distribution()
    request_rows: Distribution = Distribution()
    failed_requests: int = 0


@dataclass(frozen=True)
class EndpointStatistics:
    """What waits at an endpoint to be taken in, and its arms by name."""

    name: str
    waiting_requests: int = 0
    waiting_rows: int = 0
    arms: Mapping[str, ArmStatistics] = field(default_factory=dict)


@dataclass(frozen=True)
class WorkerStatistics:
    """A worker process, and the bytes that it has in memory."""

    pid: int
    provider: str
    resident_bytes: int


@dataclass(frozen=True)
class VersionStatistics:
    """Of a version's batches the rows and the seconds of a worker; what waits and what runs; its workers."""

    model: str
    version: int
    batch_rows: Distribution = Distribution()
    compute_seconds: Distribution = Distribution()
    waiting_rows: int = 0
    running_batches: int = 0
    running_rows: int = 0
    workers: tuple[WorkerStatistics, ...] = ()


@dataclass(frozen=True)
class GatewayStatistics:
    """A gateway's figures, counted since ``start_time``: endpoints by name, versions by model and number."""

    time: datetime
    start_time: datetime
    endpoints: Mapping[str, EndpointStatistics]
    versions: Mapping[tuple[str, int], VersionStatistics]
