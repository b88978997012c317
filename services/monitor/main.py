"""The monitor's composition root."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.monitor.adapters.meters import OtelMeters
from services.monitor.adapters.sql import GROUP, MIGRATIONS, SqlWindows
from services.monitor.api.consumer import TOPIC, Predictions
from services.monitor.api.servicer import MonitorServicer
from services.monitor.config import MonitorConfig
from services.monitor.engine.answers import Answers
from services.monitor.engine.counting import Counting
from services.monitor.engine.lag import Lag
from services.monitor.engine.upkeep import Upkeep
from slipway import lifecycle, observe
from slipway.clock import SystemClock
from slipway.events.connect import open_log
from slipway.gen.slipway.monitor.v1 import monitor_pb2
from slipway.lifecycle import Loop
from slipway.rpc.server import Server, service
from slipway.sql import Database

CONTRACT = monitor_pb2.DESCRIPTOR.services_by_name["MonitorService"]


@asynccontextmanager
async def compose(config: MonitorConfig) -> AsyncIterator[tuple[Loop, Loop, Loop, Server]]:
    """Everything that runs, wired and not yet started; the server stands last."""
    async with (
        Database.open(config.database, MIGRATIONS) as database,
        open_log(config.events) as log,
        log.consumer([TOPIC], GROUP) as consumer,
    ):
        clock, meters, windows = SystemClock(), OtelMeters(), SqlWindows(database)
        counting = Counting(windows, clock, meters, config.window_s)
        lag = Lag(log, TOPIC, clock, meters)
        predictions = Predictions(consumer, counting, lag, meters, clock)
        upkeep = Upkeep(windows, clock, config.inbox_days)
        server = Server(config.rpc, [service(CONTRACT, MonitorServicer(Answers(windows)))])
        yield Loop("predictions", predictions.run), Loop("upkeep", upkeep.run), Loop("lag", lag.run), server


async def serve(config: MonitorConfig) -> None:
    """Serve until a signal; see the charter."""
    with observe.start(config.observe, "monitor"):
        async with compose(config) as components:
            await lifecycle.run(*components)
