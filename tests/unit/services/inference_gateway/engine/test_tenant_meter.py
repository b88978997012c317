from __future__ import annotations

from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from services.inference_gateway.domain.tenants import Tenant, Tenants
from services.inference_gateway.engine.admission import Admission
from services.inference_gateway.engine.tenant_meter import measure
from slipway.clock import ManualClock


def test_each_tenant_s_counts_are_among_the_metrics() -> None:
    reader = InMemoryMetricReader()
    admission = Admission(Tenants([Tenant("a"), Tenant("b")]), ManualClock())
    measure(admission, MeterProvider([reader]))
    admission.refused("b")
    data: Any = reader.get_metrics_data()
    [scope] = data.resource_metrics[0].scope_metrics
    found = {
        one.name: {point.attributes["tenant"]: point.value for point in one.data.data_points} for one in scope.metrics
    }
    assert found["slipway.tenant.refused"] == {"a": 0, "b": 1}
    assert set(found) == {f"slipway.tenant.{name}" for name in ("in_flight", "requests", "rows", "refused")}
