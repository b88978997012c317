"""The gateway's composition root."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from importlib.metadata import version
from types import ModuleType
from typing import NamedTuple

from services.inference_gateway.adapters.arm_events import ArmEvents
from services.inference_gateway.adapters.disabled_file import DisabledFile
from services.inference_gateway.adapters.event_bus import EventBus
from services.inference_gateway.adapters.feature_service import FeatureService
from services.inference_gateway.adapters.registry_stream import RegistryModels, RegistryStream
from services.inference_gateway.adapters.snapshot_file import SnapshotFile
from services.inference_gateway.adapters.spooled_log import SpooledLog
from services.inference_gateway.adapters.worker_process import ProcessWorkers
from services.inference_gateway.api.access import Access
from services.inference_gateway.api.consumer import Requests
from services.inference_gateway.api.infer import Infer
from services.inference_gateway.api.open_inference import OpenInferenceServicer
from services.inference_gateway.api.predictions import Predictions
from services.inference_gateway.api.rest import RestServer
from services.inference_gateway.api.servicer import InferenceServicer
from services.inference_gateway.config import GatewayConfig
from services.inference_gateway.engine import tenant_meter
from services.inference_gateway.engine.admission import Admission, Admitted
from services.inference_gateway.engine.announce import Announce
from services.inference_gateway.engine.follow import Follow
from services.inference_gateway.engine.guard import Guard
from services.inference_gateway.engine.launch import Launch
from services.inference_gateway.engine.meter import Meter
from services.inference_gateway.engine.persist import Persist
from services.inference_gateway.engine.reconcile import Reconciler
from services.inference_gateway.engine.repository import Repository
from services.inference_gateway.engine.ship import Ship
from services.inference_gateway.engine.status import Status
from services.inference_gateway.engine.upkeep import Upkeep
from services.inference_gateway.main.answering import Answering, answering
from services.inference_gateway.main.settings import (
    guardrails,
    pool,
    requests_tenant,
    room,
    tenants,
    worker_settings,
)
from slipway import lifecycle, observe
from slipway.artifacts import FileArtifacts
from slipway.client import AsyncSlipway
from slipway.clock import Clock, SystemClock
from slipway.gen.inference import inference_pb2 as open_inference_pb2
from slipway.gen.slipway.inference.v1 import inference_pb2
from slipway.rpc.bundle import Bundling
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
            answers = answering(config, routing.reconciler, features, log=log, meter=meter, clock=clock)
            admission = Admission(tenants(config), clock)
            tenant_meter.measure(admission)
            admitted = Admitted(answers.predict, admission)
            requests = Requests(
                events,
                Persist(admitted, clock, config.requests.patience_s),
                routing.follow,
                meter,
                clock,
                gateway_id=gateway_id,
                tenant=requests_tenant(config),
                at_once=config.requests.at_once,
            )
            ship = Ship(log, events, clock, sync_s=config.spool.sync_interval_s, flush_s=config.rpc.grace_s)
            rest, server = _fronts(config, routing, answers, admitted, admission, log=log, meter=meter, clock=clock)
            yield Parts(
                lifecycle.Loop("ship", ship.run, flush=ship.flush),
                lifecycle.Loop("sync", ship.keep_synced),
                lifecycle.Loop("announce", routing.announce.run, flush=routing.announce.flush),
                lifecycle.Loop("shadow", answers.shadow.run, flush=answers.shadow.flush),
                lifecycle.Loop("follow", routing.follow.run),
                lifecycle.Loop("upkeep", _upkeep(config, routing.reconciler, meter, clock).run),
                lifecycle.Once(lambda: routing.follow.ready(config.ready_patience_s)),
                lifecycle.Loop("requests", requests.run),
                rest,
                server,
            )


def _fronts(
    config: GatewayConfig,
    routing: _Routing,
    answers: Answering,
    admitted: Admitted,
    admission: Admission,
    *,
    log: SpooledLog,
    meter: Meter,
    clock: Clock,
) -> tuple[RestServer, Server]:
    known, status = tenants(config), Status(routing.reconciler, routing.follow)
    access = Access(known, admission)
    predictions = Predictions(admitted, clock, config.batch.max_rows)
    own = InferenceServicer(
        predictions=predictions,
        admission=admission,
        status=status,
        vitals=answers.vitals,
        prediction_log=log,
        meter=meter,
        clock=clock,
        limit_s=config.rpc.max_deadline_s,
    )
    infer = Infer(admitted, status, clock, config.batch.max_rows)
    open_inference = OpenInferenceServicer(
        infer=infer,
        status=status,
        statistics=answers.statistics,
        repository=Repository(routing.reconciler),
        server_version=version("slipway"),
        limit_s=config.rpc.max_deadline_s,
    )
    rest = _rest(config, open_inference, access, room(config.http, known, admission))
    services = [
        _service(inference_pb2, "InferenceService", own, access, {"Predict": predictions}),
        _service(open_inference_pb2, "GRPCInferenceService", open_inference, access, {"ModelInfer": infer}),
    ]
    return rest, Server(config.rpc, services, room=room(config.rpc, known, admission))


@asynccontextmanager
async def _routing(
    config: GatewayConfig, clock: Clock, arm_events: ArmEvents, slipway: AsyncSlipway, gateway_id: str
) -> AsyncIterator[_Routing]:
    folder = config.folder
    guard = Guard(guardrails(config), clock)
    announce = Announce(guard, DisabledFile(folder / "disabled.json"), arm_events, clock, flush_s=_ANNOUNCE_S)
    await announce.restore()
    models = RegistryModels(slipway, FileArtifacts(folder / "artifacts"), config.max_artifact_bytes)
    async with aclosing(ProcessWorkers(worker_settings(config), folder / "workers")) as workers:
        launch = Launch(models, workers, clock, config.worker.warm_rows)
        budget, drain_s = config.worker.memory_budget_bytes * launch.devices, config.worker.drain_s
        async with Reconciler(launch, clock, pool(config), guard, drain_s, budget_bytes=budget) as reconciler:
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


def _upkeep(config: GatewayConfig, reconciler: Reconciler, meter: Meter, clock: Clock) -> Upkeep:
    worker = config.worker
    return Upkeep(
        lambda: reconciler.runners,
        meter,
        clock,
        growth_limit_bytes=worker.growth_limit_bytes,
        every_s=worker.weigh_every_s,
    )


def _service(
    contract: ModuleType, name: str, servicer: object, access: Access, bundling: Mapping[str, Bundling]
) -> Service:
    return service(contract.DESCRIPTOR.services_by_name[name], servicer, access.gate, bundling)


async def serve(config: GatewayConfig) -> None:
    """Serve until a signal; see the charter."""
    with observe.start(config.observe, "inference_gateway"):
        async with compose(config) as parts:
            await lifecycle.run(*parts)
