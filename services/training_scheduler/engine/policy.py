"""How much the scheduler does at a time, and how often it tries."""

from __future__ import annotations

from dataclasses import dataclass

_MOST_WAIT_S = 60.0


@dataclass(frozen=True, slots=True)
class Policy:
    """Bounds; ``retry_wait_s`` is the wait after a first failed attempt, doubled after each further one."""

    max_running_steps: int = 2
    max_attempts: int = 3
    retry_wait_s: float = 1.0

    def wait_s(self, spent: int) -> float:
        """Seconds to wait after ``spent`` attempts, a minute at most."""
        return min(_MOST_WAIT_S, self.retry_wait_s * 2.0 ** max(0, spent - 1))
