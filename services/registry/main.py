"""The registry's composition root."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from services.registry.adapters.sql import GROUP, MIGRATIONS, SqlCatalogue
from services.registry.api.consumer import TOPICS, Intake
from services.registry.api.servicer import RegistryServicer
from services.registry.config import RegistryConfig
from services.registry.engine.desired import Aliases, Endpoints
from services.registry.engine.judging import Judging
from services.registry.engine.keeping import Keeping
from services.registry.engine.models import Models
from services.registry.engine.revisions import Revisions
from services.registry.engine.rollback import RollBack
from services.registry.engine.rollouts import Rollouts
from services.registry.engine.upkeep import Upkeep
from services.registry.engine.uploads import Uploads
from services.registry.engine.versions import Versions
from services.registry.engine.watch import Watch
from slipway import lifecycle, observe
from slipway.artifacts import FileArtifacts
from slipway.clock import SystemClock
from slipway.events.connect import open_log
from slipway.events.outbox import Relay
from slipway.gen.slipway.registry.v1 import registry_pb2
from slipway.lifecycle import Loop
from slipway.rpc.server import Server, service
from slipway.sql import Database


class Parts(NamedTuple):
    """What runs, in the order in which it starts."""

    outbox: Loop
    intake: Loop
    upkeep: Loop
    keeping: Loop
    server: Server


@asynccontextmanager
async def compose(config: RegistryConfig) -> AsyncIterator[Parts]:
    """Open everything that ``config`` names and wire it up; nothing runs or listens yet."""
    async with (
        Database.open(config.database, MIGRATIONS) as database,
        open_log(config.events) as log,
        log.consumer(TOPICS, GROUP) as consumer,
    ):
        clock = SystemClock()
        artifacts = FileArtifacts(config.artifacts)
        relay = Relay(database, log.publisher(), clock)
        catalogue = SqlCatalogue(database, relay.wake)
        watch = Watch(catalogue)
        intake = Intake(consumer, Judging(catalogue, watch, clock), clock)
        upkeep = Upkeep(catalogue, clock, inbox_days=config.inbox_days)
        servicer = RegistryServicer(
            models=Models(catalogue, clock),
            versions=Versions(catalogue, artifacts, clock),
            aliases=Aliases(catalogue, watch, clock),
            endpoints=Endpoints(catalogue, watch, clock),
            rollouts=Rollouts(catalogue, watch, clock),
            roll_back=RollBack(catalogue, watch, clock),
            revisions=Revisions(catalogue),
            uploads=Uploads(artifacts, config.max_artifact_bytes),
            watch=watch,
        )
        contract = registry_pb2.DESCRIPTOR.services_by_name["RegistryService"]
        yield Parts(
            Loop("outbox", relay.run),
            Loop("intake", intake.run),
            Loop("upkeep", upkeep.run),
            Loop("keeping", Keeping(catalogue, watch, clock).run),
            Server(config.rpc, [service(contract, servicer)]),
        )


async def serve(config: RegistryConfig) -> None:
    """Serve until a signal; see the charter."""
    with observe.start(config.observe, "registry"):
        async with compose(config) as parts:
            await lifecycle.run(*parts)
