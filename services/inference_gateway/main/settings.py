"""The configuration as the values that the parts are made of."""

from __future__ import annotations

from math import ceil

from services.inference_gateway.adapters.worker_process import WorkerSettings
from services.inference_gateway.adapters.worker_profile import Profile
from services.inference_gateway.config import GatewayConfig, Http, Rpc
from services.inference_gateway.domain.fair_queue import Bounds
from services.inference_gateway.domain.guardrail import Guardrails
from services.inference_gateway.domain.quarantine import Patience
from services.inference_gateway.domain.tenants import DEFAULT, Tenant, Tenants
from services.inference_gateway.domain.token_bucket import Quota
from services.inference_gateway.engine.admission import Admission
from services.inference_gateway.engine.runner import Pool
from slipway.rpc.room import Room


def bounds(config: GatewayConfig) -> Bounds:
    """What may wait for an endpoint, and for a version."""
    batch = config.batch
    return Bounds(batch.queue_requests, batch.queue_rows, batch.queue_bytes)


def tenants(config: GatewayConfig) -> Tenants:
    """Who may ask, and how much."""
    return Tenants(
        Tenant(
            name,
            one.digests,
            one.weight,
            Quota(one.rows_per_s, one.burst_rows or ceil(one.rows_per_s)) if one.rows_per_s else None,
            one.max_in_flight,
            one.operator,
        )
        for name, one in config.tenants.items()
    )


def requests_tenant(config: GatewayConfig) -> str | None:
    """Who asks by events: the tenant named, anybody where there are none. None: such requests are not answered."""
    if not config.requests.enabled:
        return None
    return config.requests.tenant or (None if config.tenants else DEFAULT)


def room(settings: Rpc | Http, tenants: Tenants, admission: Admission) -> Room:
    """How much is answered at once on one front."""
    return Room(settings.max_concurrent_calls, settings.max_pending_bytes, tenants.weights, admission.refused)


def worker_settings(config: GatewayConfig) -> WorkerSettings:
    """How workers are run."""
    worker = config.worker
    return WorkerSettings(
        profile=Profile(intra_op_threads=worker.intra_op_threads, **worker.profile.model_dump()),
        device=worker.device,
        run_timeout_s=worker.run_timeout_s,
        load_timeout_s=worker.load_timeout_s,
        memory_limit_bytes=worker.memory_limit_bytes,
    )


def pool(config: GatewayConfig) -> Pool:
    """How many workers a version has, and which deaths are borne."""
    worker = config.worker
    return Pool(
        per_device=worker.per_version,
        patience=Patience(worker.quarantine_deaths, worker.quarantine_window_s),
    )


def guardrails(config: GatewayConfig) -> Guardrails:
    """What is borne of an arm where its endpoint says nothing."""
    rails = config.guardrail
    return Guardrails(rails.batches, rails.error_share, rails.load_attempts)
