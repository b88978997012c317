"""What happened between two looks at a gateway."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from slipway.client import (
        ArmStatistics,
        EndpointStatistics,
        GatewayStatistics,
        PredictionLog,
        TenantStatus,
        VersionStatistics,
    )


@dataclass(frozen=True)
class Look:
    """A gateway at one moment."""

    statistics: GatewayStatistics
    spool: PredictionLog
    tenants: Sequence[TenantStatus]


def seconds(earlier: Look, later: Look) -> float:
    """The time between, by the gateway's clock; never 0."""
    return max((later.statistics.time - earlier.statistics.time).total_seconds(), 1e-3)


def arms(earlier: Look, later: Look) -> list[dict[str, Any]]:
    """Each arm: rates a second and quantiles of the time between, in milliseconds, and what waits and runs now."""
    passed_s = seconds(earlier, later)
    return [
        _arm(endpoint, arm, earlier.statistics, later.statistics, passed_s)
        for endpoint in later.statistics.endpoints.values()
        for arm in endpoint.arms.values()
    ]


def tenants(earlier: Look, later: Look) -> list[dict[str, Any]]:
    """Each tenant: what it asked and what was refused, a second."""
    passed_s = seconds(earlier, later)
    before = {one.name: one for one in earlier.tenants}
    return [
        {
            "tenant": one.name,
            "requests_per_s": _rate(one.admitted_requests, before.get(one.name, one).admitted_requests, passed_s),
            "rows_per_s": _rate(one.admitted_rows, before.get(one.name, one).admitted_rows, passed_s),
            "refused_per_s": _rate(one.refused_requests, before.get(one.name, one).refused_requests, passed_s),
            "in_flight": one.in_flight,
        }
        for one in later.tenants
    ]


def _arm(
    endpoint: EndpointStatistics,
    arm: ArmStatistics,
    earlier: GatewayStatistics,
    later: GatewayStatistics,
    passed_s: float,
) -> dict[str, Any]:
    before = _before(endpoint.name, arm, earlier)
    took = arm.request_seconds.since(before.request_seconds)
    queued = arm.queue_seconds.since(before.queue_seconds)
    rows = arm.request_rows.since(before.request_rows)
    return {
        "endpoint": endpoint.name,
        "route": arm.route,
        "model": arm.model,
        "version": arm.version,
        "weight": arm.weight,
        "shadow": arm.shadow,
        "requests_per_s": took.count / passed_s,
        "rows_per_s": rows.total / passed_s,
        "errors_per_s": _rate(arm.failed_requests, before.failed_requests, passed_s),
        "p50_ms": _ms(took.quantile(0.5)),
        "p99_ms": _ms(took.quantile(0.99)),
        "wait_p50_ms": _ms(queued.quantile(0.5)),
        "wait_p99_ms": _ms(queued.quantile(0.99)),
        "waiting_requests": endpoint.waiting_requests,
        "waiting_rows": endpoint.waiting_rows,
    } | _version(later.versions.get((arm.model, arm.version)), earlier.versions.get((arm.model, arm.version)))


def _before(endpoint: str, arm: ArmStatistics, earlier: GatewayStatistics) -> ArmStatistics:
    """The same arm with the same version, earlier; with nothing counted if it was not there."""
    known = earlier.endpoints.get(endpoint)
    found = known.arms.get(arm.route) if known is not None else None
    if found is not None and (found.model, found.version) == (arm.model, arm.version):
        return found
    return type(arm)(arm.route, arm.model, arm.version, arm.weight)


def _version(now: VersionStatistics | None, before: VersionStatistics | None) -> dict[str, Any]:
    if now is None:
        return {}
    batches = now.batch_rows if before is None else now.batch_rows.since(before.batch_rows)
    return {
        "batch_rows": batches.mean,
        "queued_rows": now.waiting_rows,
        "running_batches": now.running_batches,
        "running_rows": now.running_rows,
        "workers": [one.pid for one in now.workers],
        "resident_bytes": sum(one.resident_bytes for one in now.workers),
    }


def _rate(now: int, before: int, passed_s: float) -> float:
    """A second; from nothing, where the count began anew."""
    return (now - before if now >= before else now) / passed_s


def _ms(value_s: float | None) -> float | None:
    return None if value_s is None else value_s * 1e3
