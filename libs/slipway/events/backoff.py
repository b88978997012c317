"""How long to wait before trying again."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Doubling waits with full jitter, so that many who failed together don't return together."""

    first_s: float = 0.1
    limit_s: float = 5.0  # what is back after an outage of hours is used within seconds

    def delay_s(self, failures: int, at_least_s: float | None = None) -> float:
        """Seconds to wait after the ``failures``-th failure in a row, counted from 1."""
        # The exponent is capped, for two to the thousandth is no float to multiply with.
        ceiling = min(self.limit_s, self.first_s * 2 ** min(failures - 1, 60))
        return max(random.uniform(0, ceiling), at_least_s or 0.0)  # noqa: S311 - spreads load, keeps no secret
