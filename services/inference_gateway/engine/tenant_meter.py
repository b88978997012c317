"""Tenants' counts as metrics: read when somebody looks, so that no request pays for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation

from services.inference_gateway.engine.admission import Account, Admission

_NAME = "slipway.inference_gateway"


def measure(admission: Admission, provider: MeterProvider | None = None) -> None:
    """Have each tenant's counts among the metrics of ``provider``, else of the process, by ``tenant``."""
    meter = metrics.get_meter(_NAME, meter_provider=provider)

    def of(count: Callable[[Account], int]) -> Callable[[CallbackOptions], Iterable[Observation]]:
        return lambda _: [Observation(count(one), {"tenant": one.tenant.name}) for one in admission.accounts()]

    meter.create_observable_up_down_counter(
        "slipway.tenant.in_flight", [of(lambda one: one.in_flight)], description="Requests that are being answered."
    )
    meter.create_observable_counter(
        "slipway.tenant.requests", [of(lambda one: one.requests)], description="Requests that were let in."
    )
    meter.create_observable_counter(
        "slipway.tenant.rows", [of(lambda one: one.rows)], description="Rows of requests that were let in."
    )
    meter.create_observable_counter(
        "slipway.tenant.refused",
        [of(lambda one: one.refused)],
        description="Requests over a limit of their tenant, or for which there was no room.",
    )
