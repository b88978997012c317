"""The monitor's composition root."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from services.monitor.adapters.dead_letters import LogDeadLetters
from services.monitor.adapters.meters import OtelMeters
from services.monitor.adapters.sql import GROUP, MIGRATIONS, SqlWindows
from services.monitor.api.consumer import TOPICS, Intake
from services.monitor.api.registry import REGISTRY_TOPICS, RegistryIntake
from services.monitor.api.servicer import MonitorServicer
from services.monitor.config import MonitorConfig
from services.monitor.domain.harm import Limits
from services.monitor.engine.answers import Answers
from services.monitor.engine.baselines import Baselines
from services.monitor.engine.counting import Counting
from services.monitor.engine.inspection import Inspection
from services.monitor.engine.joining import Joining
from services.monitor.engine.judged import Judged
from services.monitor.engine.judging import Judging
from services.monitor.engine.labelling import Labelling
from services.monitor.engine.lag import Lag
from services.monitor.engine.learning import Learning
from services.monitor.engine.settling import Settling
from services.monitor.engine.taking import Taking
from services.monitor.engine.upkeep import Upkeep
from slipway import lifecycle, observe
from slipway.clock import SystemClock
from slipway.events import EventLog, dead_letter_topic
from slipway.events.connect import open_log
from slipway.events.outbox import Relay
from slipway.gen.slipway.monitor.v1 import monitor_pb2
from slipway.lifecycle import Loop
from slipway.rpc.server import Server, service
from slipway.sql import Database


class Parts(NamedTuple):
    """What runs, in the order in which it starts."""

    outbox: Loop
    registry: Loop
    intake: Loop
    upkeep: Loop
    lag: Loop
    server: Server


@asynccontextmanager
async def compose(config: MonitorConfig) -> AsyncIterator[Parts]:
    """Open everything that ``config`` names and wire it up; nothing runs or listens yet."""
    async with (
        Database.open(config.database, MIGRATIONS) as database,
        open_log(config.events) as log,
        log.consumer(TOPICS, GROUP) as consumer,
        log.consumer(REGISTRY_TOPICS, GROUP) as registry_consumer,
    ):
        clock, meters = SystemClock(), OtelMeters()
        relay = Relay(database, log.publisher(), clock)
        windows = SqlWindows(database, relay.wake)
        baselines = Baselines()
        judging = _judging(config, baselines)
        taking = _taking(config, baselines, judging)
        learning = Learning(windows, Settling(windows, baselines, judging, clock), clock)
        counting = Counting(windows, taking, clock, meters, config.window_s)
        registry = RegistryIntake(registry_consumer, learning, meters, clock)
        lag = Lag(log, TOPICS, GROUP, clock=clock, meters=meters)
        intake = Intake(consumer, counting, meters, clock)
        upkeep = Upkeep(windows, clock, inbox_days=config.inbox_days, join_days=config.join_days)
        labelling = Labelling(windows, taking, clock, meters)
        judged = Judged(windows, baselines, config.judging.drift_floor)
        servicer = MonitorServicer(Answers(windows), judged, labelling, _inspection(log))
        contract = monitor_pb2.DESCRIPTOR.services_by_name["MonitorService"]
        yield Parts(
            Loop("outbox", relay.run),
            Loop("registry", registry.run),
            Loop("intake", intake.run),
            Loop("upkeep", upkeep.run),
            Loop("lag", lag.run),
            Server(config.rpc, [service(contract, servicer)]),
        )


def _judging(config: MonitorConfig, baselines: Baselines) -> Judging:
    limits = Limits(**config.judging.model_dump())
    return Judging(baselines, limits, window_s=config.performance_window_s, maturity_s=config.label_maturity_s)


def _taking(config: MonitorConfig, baselines: Baselines, judging: Judging) -> Taking:
    window_s = config.performance_window_s
    return Taking(Joining(window_s), baselines, judging, window_s)


def _inspection(log: EventLog) -> Inspection:
    letters = (dead_letter_topic(topic, GROUP) for topic in (*TOPICS, *REGISTRY_TOPICS))
    return Inspection(LogDeadLetters(log, *letters))


async def serve(config: MonitorConfig) -> None:
    """Serve until a signal; see the charter."""
    with observe.start(config.observe, "monitor"):
        async with compose(config) as parts:
            await lifecycle.run(*parts)
