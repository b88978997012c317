"""Counting what was answered, how long it took, and what could not be logged."""

from __future__ import annotations

from opentelemetry import metrics

from services.inference_gateway.domain.batch import Answer
from services.inference_gateway.domain.desired import VersionKey

_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0]
_ROWS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096]


class Meter:
    """The gateway's metrics, each by endpoint, model, version and route."""

    def __init__(self) -> None:
        meter = metrics.get_meter("slipway.inference_gateway")
        self._rows = meter.create_histogram(
            "slipway.batch.rows",
            description="Rows answered, by the size of their batch.",
            explicit_bucket_boundaries_advisory=_ROWS,
        )
        self._seconds = meter.create_histogram(
            "slipway.batch.duration",
            unit="s",
            description="Time from a batch's routing to its place on the log.",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )
        self._lost = meter.create_counter(
            "slipway.predictions.unlogged", description="Rows answered but not logged: the spool was full or failed."
        )
        self._degraded = meter.create_counter(
            "slipway.predictions.degraded", description="Rows answered without a feature that they should have had."
        )
        self._fetch_seconds = meter.create_histogram(
            "slipway.features.duration",
            unit="s",
            description="Time of the one question for a batch's features.",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )
        self._shadowed = meter.create_counter("slipway.shadow.rows", description="Rows that a shadow scored.")
        self._shadow_lost = meter.create_counter(
            "slipway.shadow.lost", description="Rows that a shadow did not score: it failed, or too many waited."
        )
        self.dropped_rows = 0

    def answered(self, answer: Answer, seconds: float) -> None:
        """One version answered a batch."""
        labels = {
            "endpoint": answer.batch.endpoint,
            "model": answer.model,
            "version": str(answer.version),
            "route": answer.route,
            "protocol": answer.batch.protocol.value,
        }
        self._rows.record(answer.batch.rows, labels)
        self._seconds.record(seconds, labels)
        if answer.degraded:
            self._degraded.add(len(answer.degraded), labels)

    def fetched(self, endpoint: str, seconds: float, *, failed: bool) -> None:
        """A batch's features were asked for."""
        self._fetch_seconds.record(seconds, {"endpoint": endpoint, "failed": failed})

    def shadowed(self, rows: int, endpoint: str, version: VersionKey) -> None:
        """A shadow scored rows."""
        self._shadowed.add(rows, {"endpoint": endpoint, "model": version.model, "version": str(version.number)})

    def shadow_lost(self, rows: int, version: VersionKey) -> None:
        """Rows were left out of a shadow."""
        self._shadow_lost.add(rows, {"model": version.model, "version": str(version.number)})

    def dropped(self, rows: int) -> None:
        """Rows were answered without being logged."""
        self.dropped_rows += rows
        self._lost.add(rows)
