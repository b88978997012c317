"""How many rows a tenant may ask about: so many a second, and so many at once."""

from __future__ import annotations

from dataclasses import dataclass

# Less is taken for none: it is what a hint loses on its way to the caller.
_LEAST_WAIT_S = 1e-6


@dataclass(frozen=True, slots=True)
class Quota:
    """``rows_per_s`` in the long run, and at most ``burst_rows`` saved up for asking at once."""

    rows_per_s: float
    burst_rows: int


class TokenBucket:
    """A quota as it is used. Times are monotonic seconds."""

    def __init__(self, quota: Quota, now: float) -> None:
        self.quota = quota
        self._rows = float(quota.burst_rows)
        self._at = now

    def take(self, rows: int, now: float) -> float:
        """Use ``rows`` of the quota and return 0; or use nothing, and return the seconds until they fit.

        They never do when they are more than the burst.
        """
        self._rows = min(self._rows + (now - self._at) * self.quota.rows_per_s, self.quota.burst_rows)
        self._at = now
        wait_s = (rows - self._rows) / self.quota.rows_per_s
        if wait_s > _LEAST_WAIT_S:
            return wait_s
        self._rows -= rows
        return 0.0
