"""The monitor's metrics in OpenTelemetry."""

from __future__ import annotations

from dataclasses import asdict

from opentelemetry import metrics

from services.monitor.domain.label import LabelTally


class OtelMeters:
    """See Meters."""

    def __init__(self) -> None:
        meter = metrics.get_meter("slipway.monitor")
        self._counted = meter.create_counter("slipway.monitor.predictions", description="Predictions counted.")
        self._labels = meter.create_counter("slipway.monitor.labels", description="Labels, by what became of them.")
        self._dead = meter.create_counter("slipway.monitor.dead_letters", description="Events that were set aside.")
        self._lag = meter.create_gauge("slipway.monitor.lag", description="Events of the log still to be counted.")

    def counted(self, predictions: int) -> None:
        """See Meters."""
        self._counted.add(predictions)

    def labelled(self, tally: LabelTally) -> None:
        """See Meters."""
        for outcome, labels in asdict(tally).items():
            if labels:
                self._labels.add(labels, {"outcome": outcome})

    def dead_lettered(self) -> None:
        """See Meters."""
        self._dead.add(1)

    def lag(self, events: int) -> None:
        """See Meters."""
        self._lag.set(events)
