"""Answers, and how endpoints run in a gateway."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from slipway.errors import InvalidInput, SlipwayError

Scalar = bool | int | float | str | None
"""One value of a row; None means absent."""
Value = Scalar | Sequence[Any]
"""A value of a row, or a vector: a list, a tuple or an array, nested as its shape is."""


class VersionState(enum.StrEnum):
    """How far an endpoint's version has come in a gateway."""

    UNSPECIFIED = "unspecified"
    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Prediction:
    """One row's answer.

    ``prediction_id`` is what a label joins on. ``outputs`` has each tensor's elements for this row, flattened
    in row-major order. ``replayed`` says that the id was answered before and this is that answer. ``feature_ages``
    has, by view, the seconds from what was read online to the row's moment, None where the view told nothing.
    ``degraded`` says that a feature was missing, too old or could not be read, and the answer was made without.
    ``fallback`` says that the arm that was to answer could not, and the endpoint's fallback did: another version, or
    the default answer, whose version is 0. ``attributions`` has, where an explanation was asked for, by column what it
    did to each value of the first output of numbers: the answer less that to the row with what is typical there.
    """

    prediction_id: str
    outputs: Mapping[str, tuple[float, ...] | tuple[str, ...]]
    model: str
    version: int
    route: str
    replayed: bool = False
    feature_ages: Mapping[str, float | None] = field(default_factory=dict)
    degraded: bool = False
    fallback: bool = False
    attributions: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    @property
    def value(self) -> float | str:
        """The only element of the only output; raises ``InvalidInput`` naming the outputs when there are more."""
        if len(self.outputs) == 1:
            (elements,) = self.outputs.values()
            if len(elements) == 1:
                return elements[0]
        shown = ", ".join(f"{name} ({len(elements)})" for name, elements in self.outputs.items()) or "none"
        raise InvalidInput(f"the answer is not one scalar; read .outputs: {shown}")


@dataclass(frozen=True, slots=True)
class Question:
    """One request of a stream: what ``predict`` takes, and ``correlation_id``, by which its answer is told."""

    rows: Sequence[Mapping[str, Value]] | None = None
    entity_keys: Sequence[Mapping[str, Scalar]] | None = None
    prediction_ids: Sequence[str] | None = None
    event_times: Sequence[datetime] | datetime | None = None
    correlation_id: str = ""
    priority: int = 0
    explain: bool = False


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of one request of a stream: ``predictions``, one a row, or the ``error`` that it failed by."""

    correlation_id: str
    predictions: tuple[Prediction, ...] = ()
    error: SlipwayError | None = None


@dataclass(frozen=True, slots=True)
class RouteStatus:
    """An arm as it runs in a gateway; ``serving_version`` and ``worker_pid`` are 0 while there is none.

    A ``shadow`` also scores what other arms answer, for the log alone. ``disabled_reason`` says why the gateway took
    the arm to zero by itself, until the endpoint changes; empty while it has not.
    """

    name: str
    model: str
    desired_version: int
    serving_version: int
    weight: int
    state: VersionState
    reason: str = ""
    provider: str = ""
    worker_pid: int = 0
    shadow: bool = False
    disabled_reason: str = ""


@dataclass(frozen=True, slots=True)
class EndpointStatus:
    """An endpoint as it runs in a gateway, by the registry's ``revision``."""

    name: str
    revision: int
    routes: tuple[RouteStatus, ...] = ()
    update_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class ServedEndpoints:
    """A gateway's endpoints by name; while not ``registry_connected``, the last snapshot is served."""

    endpoints: tuple[EndpointStatus, ...]
    registry_connected: bool

    def __iter__(self) -> Iterator[EndpointStatus]:
        return iter(self.endpoints)

    def __len__(self) -> int:
        return len(self.endpoints)


@dataclass(frozen=True, slots=True)
class PredictionLog:
    """How the spool stands: what waits for the event bus, its bound, and predictions answered but not logged."""

    pending_batches: int
    pending_bytes: int
    limit_bytes: int
    dropped_predictions: int


@dataclass(frozen=True, slots=True)
class TenantStatus:
    """A tenant's limits, None where there is none, and how it stands in a gateway since that started.

    ``weight`` is its share of rows where several tenants wait. ``refused_requests`` were over its limits.
    """

    name: str
    weight: float
    rows_per_s: float | None = None
    burst_rows: int | None = None
    max_in_flight: int | None = None
    in_flight: int = 0
    admitted_requests: int = 0
    admitted_rows: int = 0
    refused_requests: int = 0
    operator: bool = False
