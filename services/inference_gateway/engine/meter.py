"""Counting what was answered, how long it took, and what could not be logged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from opentelemetry import metrics

from services.inference_gateway.domain.answer import Answer
from services.inference_gateway.domain.batch import Origin, Protocol
from services.inference_gateway.domain.desired import VersionKey
from slipway.observe.histogram import SIZES, Distribution, Histogram, Series


@dataclass(slots=True)
class Times:
    """When a batch was given to its worker, what it took of it, and when it was back; monotonic, in seconds.

    ``ran_s`` is what the model itself took, as the worker tells; ``packed_s`` and ``unpacked_s`` are the gateway's own
    work on the inputs and the outputs.
    """

    began_s: float
    took_s: float
    ended_s: float
    ran_s: float = 0.0
    packed_s: float = 0.0
    unpacked_s: float = 0.0


class ArmCount(NamedTuple):
    """Of an arm's requests, the seconds to the answer, those to the batch's start, and the rows."""

    seconds: Distribution
    queued: Distribution
    rows: Distribution


class VersionCount(NamedTuple):
    """Of a version's batches, the rows and the seconds of a worker."""

    rows: Distribution
    seconds: Distribution


_PROTOCOLS = {one: one.value for one in Protocol}
_LABELS = ("endpoint", "model", "version", "route", "protocol")


class Meter:
    """The gateway's metrics, by endpoint, model, version and route."""

    def __init__(self) -> None:
        meter = metrics.get_meter("slipway.inference_gateway")
        self._rows = Histogram("slipway_request_rows", "Rows of a request.", _LABELS, SIZES).served()
        self._seconds = Histogram(
            "slipway_request_duration_seconds", "Time from a decoded request to its model's answer.", _LABELS
        ).served()
        self._queued = Histogram(
            "slipway_queue_duration_seconds", "Time from a decoded request to its batch's start.", _LABELS
        ).served()
        self._batch_rows = Histogram(
            "slipway_batch_rows", "Rows that a worker was given at once.", ("model", "version"), SIZES
        ).served()
        self._computed = Histogram(
            "slipway_compute_duration_seconds", "Time that a batch had of its worker.", ("model", "version")
        ).served()
        self._lost = meter.create_counter(
            "slipway.predictions.unlogged", description="Rows answered but not logged: the spool was full or failed."
        )
        self._degraded = meter.create_counter(
            "slipway.predictions.degraded", description="Rows answered without a feature that they should have had."
        )
        self._fetched = Histogram(
            "slipway_features_duration_seconds",
            "Time of the one question for a wave's features.",
            ("endpoint", "failed"),
        ).served()
        self._shadowed = meter.create_counter("slipway.shadow.rows", description="Rows that a shadow scored.")
        self._shadow_lost = meter.create_counter(
            "slipway.shadow.lost", description="Rows that a shadow did not score: it failed, or too many waited."
        )
        self._dead = meter.create_counter("slipway.requests.dead_letters", description="Events that were set aside.")
        self._memory = meter.create_gauge(
            "slipway.worker.memory", unit="By", description="Memory that a version's workers have as their own."
        )
        self._replaced = meter.create_counter(
            "slipway.worker.replaced", description="Workers that were replaced because they leaked memory."
        )
        self._arms: dict[tuple[str, ...], tuple[Series, Series, Series]] = {}
        self._versions: dict[VersionKey, tuple[Series, Series]] = {}
        self.dropped_rows = 0

    def ran(self, version: VersionKey, rows: int, times: Times) -> None:
        """A worker ran a batch."""
        series = self._versions.get(version)
        if series is None:
            labels = (version.model, str(version.number))
            series = self._versions[version] = (self._batch_rows.of(labels), self._computed.of(labels))
        series[0].add_one(rows)
        series[1].add_one(times.took_s)

    def answered(self, answer: Answer, times: Times) -> None:
        """One version answered requests."""
        batch = answer.batch
        labels = (batch.endpoint, answer.model, str(answer.version), answer.route, _PROTOCOLS[batch.protocol])
        if len(batch.origins) == 1:
            [one] = batch.origins
            series = self._arms.get(labels)
            if series is None:
                series = (self._rows.of(labels), self._seconds.of(labels), self._queued.of(labels))
                self._arms[labels] = series
            series[0].add_one(one.rows)
            series[1].add_one(times.ended_s - one.began_s)
            series[2].add_one(times.began_s - one.began_s)
        else:
            self._add(labels, batch.origins, times)
        if answer.degraded:
            self._degraded.add(len(answer.degraded), dict(zip(_LABELS, labels, strict=True)))

    def _add(self, labels: tuple[str, ...], origins: Sequence[Origin], times: Times) -> None:
        ended_s, given_s = times.ended_s, times.began_s
        self._rows.add(labels, [one.rows for one in origins])
        self._seconds.add(labels, [ended_s - one.began_s for one in origins])
        self._queued.add(labels, [given_s - one.began_s for one in origins])

    def arm(self, endpoint: str, version: VersionKey, route: str) -> ArmCount:
        """What an arm answered so far, by any protocol."""
        labels = {"endpoint": endpoint, "model": version.model, "version": str(version.number), "route": route}
        return ArmCount(*[one.read(**labels) for one in (self._seconds, self._queued, self._rows)])

    def version(self, version: VersionKey) -> VersionCount:
        """What a version's workers ran so far."""
        labels = {"model": version.model, "version": str(version.number)}
        return VersionCount(*[one.read(**labels) for one in (self._batch_rows, self._computed)])

    def fetched(self, endpoint: str, seconds: float, *, failed: bool) -> None:
        """A wave's features were asked for."""
        self._fetched.add_one((endpoint, str(failed).lower()), seconds)

    def shadowed(self, rows: int, endpoint: str, version: VersionKey) -> None:
        """A shadow scored rows."""
        self._shadowed.add(rows, {"endpoint": endpoint, "model": version.model, "version": str(version.number)})

    def shadow_lost(self, rows: int, version: VersionKey) -> None:
        """Rows were left out of a shadow."""
        self._shadow_lost.add(rows, {"model": version.model, "version": str(version.number)})

    def dead_lettered(self) -> None:
        """A request that came by an event was set aside."""
        self._dead.add(1)

    def weighed(self, version: VersionKey, memory_bytes: int) -> None:
        """A version's workers have so much memory together."""
        self._memory.set(memory_bytes, {"model": version.model, "version": str(version.number)})

    def replaced(self, version: VersionKey) -> None:
        """A worker that leaked was replaced."""
        self._replaced.add(1, {"model": version.model, "version": str(version.number)})

    def dropped(self, rows: int) -> None:
        """Rows were answered without being logged."""
        self.dropped_rows += rows
        self._lost.add(rows)
