"""The gateway's composition root."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from math import ceil
from typing import NamedTuple

from services.inference_gateway.adapters.arm_events import ArmEvents
from services.inference_gateway.adapters.disabled_file import DisabledFile
from services.inference_gateway.adapters.event_bus import EventBus
from services.inference_gateway.adapters.feature_service import FeatureService
from services.inference_gateway.adapters.registry_stream import RegistryModels, RegistryStream
from services.inference_gateway.adapters.resident_memory import resident_bytes
from services.inference_gateway.adapters.snapshot_file import SnapshotFile
from services.inference_gateway.adapters.spooled_log import SpooledLog
from services.inference_gateway.adapters.worker_process import ProcessWorkers, WorkerSettings
from services.inference_gateway.adapters.worker_profile import Profile
from services.inference_gateway.api.access import Access
from services.inference_gateway.api.consumer import Requests
from services.inference_gateway.api.infer import Infer
from services.inference_gateway.api.open_inference import OpenInferenceServicer
from services.inference_gateway.api.rest import RestServer
from services.inference_gateway.api.servicer import InferenceServicer
from services.inference_gateway.config import GatewayConfig, Http, Rpc
from services.inference_gateway.domain.fair_queue import Bounds
from services.inference_gateway.domain.guardrail import Guardrails
from services.inference_gateway.domain.quarantine import Patience
from services.inference_gateway.domain.tenants import DEFAULT, Tenant, Tenants
from services.inference_gateway.domain.token_bucket import Quota
from services.inference_gateway.engine import tenant_meter
from services.inference_gateway.engine.admission import Admission, Admitted
from services.inference_gateway.engine.announce import Announce
from services.inference_gateway.engine.dispatch import Dispatch
from services.inference_gateway.engine.explain import Explain
from services.inference_gateway.engine.fetch import Fetch
from services.inference_gateway.engine.follow import Follow
from services.inference_gateway.engine.guard import Guard
from services.inference_gateway.engine.intake import Intake
from services.inference_gateway.engine.launch import Launch
from services.inference_gateway.engine.memory import Memory
from services.inference_gateway.engine.meter import Meter
from services.inference_gateway.engine.persist import Persist
from services.inference_gateway.engine.predict import Predict
from services.inference_gateway.engine.reconcile import Reconciler
from services.inference_gateway.engine.repository import Repository
from services.inference_gateway.engine.runner import Pool
from services.inference_gateway.engine.settle import Settle
from services.inference_gateway.engine.shadow import Shadow
from services.inference_gateway.engine.shadow_queue import ShadowQueue
from services.inference_gateway.engine.ship import Ship
from services.inference_gateway.engine.spans import Spans
from services.inference_gateway.engine.statistics import Statistics
from services.inference_gateway.engine.status import Status
from services.inference_gateway.engine.upkeep import Upkeep
from services.inference_gateway.engine.vitals import Vitals
from slipway import lifecycle, observe
from slipway.artifacts import FileArtifacts
from slipway.client import AsyncSlipway
from slipway.clock import Clock, SystemClock
from slipway.gen.inference import inference_pb2 as open_inference_pb2
from slipway.gen.slipway.inference.v1 import inference_pb2
from slipway.rpc.room import Room
from slipway.rpc.server import Server, Service, service
from slipway.spool import Spool

_ANNOUNCE_S = 2.0  # at the end; what is not told then is on disk, and told at the next start


class Parts(NamedTuple):
    """What runs, in the order in which it starts."""

    shipping: lifecycle.Loop
    syncing: lifecycle.Loop
    announcing: lifecycle.Loop
    shadowing: lifecycle.Loop
    following: lifecycle.Loop
    upkeep: lifecycle.Loop
    warmed: lifecycle.Once
    requests: lifecycle.Loop
    rest: RestServer
    server: Server


class _Routing(NamedTuple):
    """What brings desired state and workers together."""

    announce: Announce
    reconciler: Reconciler
    follow: Follow


@asynccontextmanager
async def compose(config: GatewayConfig) -> AsyncIterator[Parts]:
    """Open everything that ``config`` names and wire it up; nothing runs or listens yet."""
    clock, meter, spool = SystemClock(), Meter(), _spool(config)
    with spool:
        log, gateway_id = SpooledLog(spool, config.spool.limit_bytes), f"gateway-{spool.identity}"
        async with (
            EventBus.at(config.events, gateway_id) as events,
            AsyncSlipway(registry=config.registry) as slipway,
            FeatureService.at(config.features_address, config.feature_timeout_s) as features,
            _routing(config, clock, ArmEvents(events, gateway_id), slipway, gateway_id) as routing,
        ):
            tenants = _tenants(config)
            statistics = Statistics(clock)
            predict, shadow, vitals = _answering(
                config, routing.reconciler, features, statistics, log=log, meter=meter, clock=clock
            )
            admission = Admission(tenants, clock)
            tenant_meter.measure(admission)
            access, admitted = Access(tenants, admission), Admitted(predict, admission)
            status = Status(routing.reconciler, routing.follow)
            own = InferenceServicer(
                predict=admitted,
                admission=admission,
                status=status,
                vitals=vitals,
                prediction_log=log,
                meter=meter,
                clock=clock,
                limit_s=config.rpc.max_deadline_s,
            )
            open_inference = OpenInferenceServicer(
                infer=Infer(admitted, status, clock),
                status=status,
                statistics=statistics,
                repository=Repository(routing.reconciler),
                server_version=version("slipway"),
                limit_s=config.rpc.max_deadline_s,
            )
            requests = Requests(
                events,
                Persist(admitted, clock, config.requests.patience_s),
                routing.follow,
                meter,
                clock,
                gateway_id=gateway_id,
                tenant=_requests_tenant(config),
                at_once=config.requests.at_once,
            )
            ship = Ship(log, events, clock, sync_s=config.spool.sync_interval_s, flush_s=config.rpc.grace_s)
            yield Parts(
                lifecycle.Loop("ship", ship.run, flush=ship.flush),
                lifecycle.Loop("sync", ship.keep_synced),
                lifecycle.Loop("announce", routing.announce.run, flush=routing.announce.flush),
                lifecycle.Loop("shadow", shadow.run, flush=shadow.flush),
                lifecycle.Loop("follow", routing.follow.run),
                lifecycle.Loop("upkeep", _upkeep(config, routing.reconciler, meter, clock).run),
                lifecycle.Once(lambda: routing.follow.ready(config.ready_patience_s)),
                lifecycle.Loop("requests", requests.run),
                _rest(config, open_inference, access, _room(config.http, tenants, admission)),
                Server(
                    config.rpc,
                    _services(own, open_inference, access),
                    room=_room(config.rpc, tenants, admission),
                ),
            )


@asynccontextmanager
async def _routing(
    config: GatewayConfig, clock: Clock, arm_events: ArmEvents, slipway: AsyncSlipway, gateway_id: str
) -> AsyncIterator[_Routing]:
    folder = config.folder
    guard = Guard(_guardrails(config), clock)
    announce = Announce(guard, DisabledFile(folder / "disabled.json"), arm_events, clock, flush_s=_ANNOUNCE_S)
    await announce.restore()
    models = RegistryModels(slipway, FileArtifacts(folder / "artifacts"), config.max_artifact_bytes)
    workers = ProcessWorkers(_worker_settings(config), folder / "workers")
    launch = Launch(models, workers, clock, config.worker.warm_rows)
    budget = config.worker.memory_budget_bytes * launch.devices
    async with Reconciler(
        launch, clock, _pool(config), guard, config.worker.drain_s, budget_bytes=budget
    ) as reconciler:
        stream = RegistryStream(slipway, gateway_id, clock)
        follow = Follow(stream, SnapshotFile(folder / "snapshot.json"), reconciler)
        await follow.restore()
        yield _Routing(announce, reconciler, follow)


def _spool(config: GatewayConfig) -> Spool:
    kept = config.spool
    return Spool.open(
        config.folder / "spool",
        segment_bytes=kept.segment_bytes,
        limit_bytes=kept.limit_bytes,
        retain_bytes=kept.retain_bytes,
        sync=kept.sync,
    )


def _answering(
    config: GatewayConfig,
    reconciler: Reconciler,
    features: FeatureService,
    statistics: Statistics,
    *,
    log: SpooledLog,
    meter: Meter,
    clock: Clock,
) -> tuple[Predict, Shadow, Vitals]:
    memory = Memory(config.remembered_predictions)
    memory.restore(log.replay())
    fetch, waiting = Fetch(features, meter, clock), ShadowQueue(meter, clock, config.shadow_queue_limit)
    spans = Spans(clock)
    settle = Settle(reconciler, log, waiting, meter=meter, statistics=statistics, spans=spans, clock=clock)
    weights = {name: tenant.weight for name, tenant in config.tenants.items()}
    dispatch = Dispatch(settle, clock, _bounds(config), config.batch.max_rows, weights)
    shadow = Shadow(
        queue=waiting,
        dispatch=dispatch,
        reconciler=reconciler,
        fetch=fetch,
        clock=clock,
        flush_s=config.rpc.grace_s / 2,
    )
    intake = Intake(
        *(reconciler, fetch, dispatch, clock),
        bounds=_bounds(config),
        wave_rows=config.batch.max_rows,
        gather_s=config.batch.gather_s,
        spans=spans,
        weights=weights,
    )
    vitals = Vitals(
        *(reconciler, intake, dispatch),
        meter=meter,
        statistics=statistics,
        resident_bytes=resident_bytes,
        clock=clock,
    )
    return Predict(intake, memory, clock, spans, Explain(reconciler, dispatch)), shadow, vitals


def _bounds(config: GatewayConfig) -> Bounds:
    batch = config.batch
    return Bounds(batch.queue_requests, batch.queue_rows, batch.queue_bytes)


def _tenants(config: GatewayConfig) -> Tenants:
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


def _requests_tenant(config: GatewayConfig) -> str | None:
    """Who asks by events: the tenant named, anybody where there are none. None: such requests are not answered."""
    if not config.requests.enabled:
        return None
    return config.requests.tenant or (None if config.tenants else DEFAULT)


def _room(settings: Rpc | Http, tenants: Tenants, admission: Admission) -> Room:
    return Room(settings.max_concurrent_calls, settings.max_pending_bytes, tenants.weights, admission.refused)


def _rest(config: GatewayConfig, open_inference: OpenInferenceServicer, access: Access, room: Room) -> RestServer:
    return RestServer(
        config.http.listen,
        open_inference,
        access,
        room,
        max_body_bytes=config.http.max_body_bytes,
        max_deadline_s=config.rpc.max_deadline_s,
        grace_s=config.rpc.grace_s,
    )


def _worker_settings(config: GatewayConfig) -> WorkerSettings:
    worker = config.worker
    return WorkerSettings(
        profile=Profile(intra_op_threads=worker.intra_op_threads, **worker.profile.model_dump()),
        device=worker.device,
        run_timeout_s=worker.run_timeout_s,
        load_timeout_s=worker.load_timeout_s,
        memory_limit_bytes=worker.memory_limit_bytes,
    )


def _upkeep(config: GatewayConfig, reconciler: Reconciler, meter: Meter, clock: Clock) -> Upkeep:
    worker = config.worker
    return Upkeep(
        lambda: reconciler.runners,
        meter,
        clock,
        growth_limit_bytes=worker.growth_limit_bytes,
        every_s=worker.weigh_every_s,
    )


def _pool(config: GatewayConfig) -> Pool:
    worker = config.worker
    return Pool(
        per_device=worker.per_version,
        patience=Patience(worker.quarantine_deaths, worker.quarantine_window_s),
    )


def _guardrails(config: GatewayConfig) -> Guardrails:
    rails = config.guardrail
    return Guardrails(rails.batches, rails.error_share, rails.load_attempts)


def _services(own: InferenceServicer, open_inference: OpenInferenceServicer, access: Access) -> list[Service]:
    return [
        service(inference_pb2.DESCRIPTOR.services_by_name["InferenceService"], own, access.gate),
        service(open_inference_pb2.DESCRIPTOR.services_by_name["GRPCInferenceService"], open_inference, access.gate),
    ]


async def serve(config: GatewayConfig) -> None:
    """Serve until a signal; see the charter."""
    with observe.start(config.observe, "inference_gateway"):
        async with compose(config) as parts:
            await lifecycle.run(*parts)
