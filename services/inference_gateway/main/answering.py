"""What answers: from a request that comes to the answer that leaves."""

from __future__ import annotations

from typing import NamedTuple

from services.inference_gateway.adapters.feature_service import FeatureService
from services.inference_gateway.adapters.resident_memory import resident_bytes
from services.inference_gateway.adapters.spooled_log import SpooledLog
from services.inference_gateway.config import GatewayConfig
from services.inference_gateway.engine.accounts import Accounts
from services.inference_gateway.engine.dispatch import Dispatch
from services.inference_gateway.engine.explain import Explain
from services.inference_gateway.engine.fetch import Fetch
from services.inference_gateway.engine.intake import Intake
from services.inference_gateway.engine.memory import Memory
from services.inference_gateway.engine.meter import Meter
from services.inference_gateway.engine.predict import Predict
from services.inference_gateway.engine.reconcile import Reconciler
from services.inference_gateway.engine.settle import Settle
from services.inference_gateway.engine.shadow import Shadow
from services.inference_gateway.engine.shadow_queue import ShadowQueue
from services.inference_gateway.engine.spans import Spans
from services.inference_gateway.engine.statistics import Statistics
from services.inference_gateway.engine.vitals import Vitals
from services.inference_gateway.main.settings import bounds
from slipway.clock import Clock


class Answering(NamedTuple):
    """What answers, and what it tells of itself."""

    predict: Predict
    shadow: Shadow
    vitals: Vitals
    statistics: Statistics


def answering(
    config: GatewayConfig,
    reconciler: Reconciler,
    features: FeatureService,
    *,
    log: SpooledLog,
    meter: Meter,
    clock: Clock,
) -> Answering:
    """Wire up what answers, and recall what was answered."""
    statistics, memory = Statistics(clock), Memory(config.remembered_predictions)
    memory.restore(log.replay())
    fetch, waiting = Fetch(features, meter, clock), ShadowQueue(meter, clock, config.shadow_queue_limit)
    spans = Spans(clock)
    accounts = Accounts(reconciler, meter=meter, statistics=statistics, spans=spans, clock=clock)
    settle = Settle(reconciler, log, waiting, accounts=accounts, meter=meter, clock=clock)
    weights = {name: tenant.weight for name, tenant in config.tenants.items()}
    dispatch = Dispatch(settle, clock, bounds(config), config.batch.max_rows, weights)
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
        bounds=bounds(config),
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
    return Answering(Predict(intake, memory, clock, spans, Explain(reconciler, dispatch)), shadow, vitals, statistics)
