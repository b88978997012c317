"""Feature serving's metrics in OpenTelemetry."""

from __future__ import annotations

from opentelemetry import metrics


class OtelMeters:
    """See Meters."""

    def __init__(self) -> None:
        meter = metrics.get_meter("slipway.feature_serving")
        name = "slipway.feature_serving"
        self._applied = meter.create_counter(f"{name}.rows_applied", description="Rows that took effect.")
        self._late = meter.create_counter(f"{name}.rows_late", description="Rows for which a newer one was there.")
        self._dead = meter.create_counter(f"{name}.dead_letters", description="Events that were set aside.")

    def written(self, applied: int, late: int) -> None:
        """See Meters."""
        self._applied.add(applied)
        self._late.add(late)

    def dead_lettered(self) -> None:
        """See Meters."""
        self._dead.add(1)
