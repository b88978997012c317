"""How large a gateway's batches were, from its own metrics."""

from __future__ import annotations

import urllib.request
from dataclasses import dataclass

_NAME = "slipway_batch_rows"


@dataclass(frozen=True)
class Batches:
    """Batches that workers were given so far, and their rows."""

    count: float = 0.0
    rows: float = 0.0

    def rows_each_since(self, before: Batches) -> float:
        """Rows a batch between two readings; 0 where there was none."""
        count = self.count - before.count
        return (self.rows - before.rows) / count if count else 0.0


def read(metrics: str) -> Batches:
    """What a metrics endpoint says, over all models; nothing where there is none."""
    if not metrics:
        return Batches()
    with urllib.request.urlopen(metrics, timeout=10) as answer:  # noqa: S310  (our own server)
        return parsed(answer.read().decode())


def parsed(text: str) -> Batches:
    """The same from Prometheus' text."""
    totals = {"count": 0.0, "sum": 0.0}
    for line in text.splitlines():
        name, _, value = line.rpartition(" ")
        for what in totals:
            if name.partition("{")[0] == f"{_NAME}_{what}":
                totals[what] += float(value)
    return Batches(totals["count"], totals["sum"])
