"""Feature serving's composition root."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from services.feature_serving.adapters.joiner import ProcessJoiner
from services.feature_serving.adapters.meters import OtelMeters
from services.feature_serving.adapters.pushed import SqlPushed
from services.feature_serving.adapters.redis import RedisStore
from services.feature_serving.adapters.sources import FileSources
from services.feature_serving.adapters.sql import MIGRATIONS, SqlCatalogue
from services.feature_serving.adapters.training_sets import SqlTrainingSets
from services.feature_serving.adapters.watermarks import SqlWatermarks
from services.feature_serving.adapters.windows import SqlWindows
from services.feature_serving.api.consumer import GROUP, TOPIC, Ingestion
from services.feature_serving.api.past import LoggedPast
from services.feature_serving.api.servicer import FeatureServicer
from services.feature_serving.config import FeatureServingConfig
from services.feature_serving.engine.building import Building
from services.feature_serving.engine.compiled import Compiled
from services.feature_serving.engine.intake import Intake
from services.feature_serving.engine.progress import Progress
from services.feature_serving.engine.reached import Reached
from services.feature_serving.engine.reads import Reads
from services.feature_serving.engine.rebuilding import Rebuilding
from services.feature_serving.engine.services import Services
from services.feature_serving.engine.spines import Spines
from services.feature_serving.engine.training_sets import Sets
from services.feature_serving.engine.upkeep import Upkeep
from services.feature_serving.engine.views import Views
from services.feature_serving.engine.windowing import Windowing
from services.feature_serving.engine.writes import Writes
from slipway import lifecycle, observe
from slipway.artifacts import FileArtifacts
from slipway.clock import SystemClock
from slipway.events.connect import open_log
from slipway.gen.slipway.features.v1 import features_pb2
from slipway.lifecycle import Loop
from slipway.rpc.server import Server, service
from slipway.sql import Database


class Parts(NamedTuple):
    """What runs, in the order in which it starts."""

    ingestion: Loop
    rebuilding: Loop
    upkeep: Loop
    building: Loop
    server: Server


@asynccontextmanager
async def compose(config: FeatureServingConfig) -> AsyncIterator[Parts]:
    """Open everything that ``config`` names and wire it up; nothing runs or listens yet."""
    async with (
        Database.open(config.database, MIGRATIONS) as database,
        RedisStore.open(config.redis_url, config.redis_password(), config.project) as store,
        open_log(config.events) as log,
        log.consumer([TOPIC], GROUP) as consumer,
    ):
        clock, meters, watermarks = SystemClock(), OtelMeters(), SqlWatermarks(database)
        catalogue = SqlCatalogue(database)
        compiled = Compiled(catalogue, clock)
        reached, windows, pushed = Reached(watermarks, clock), SqlWindows(database), SqlPushed(database)
        writes = Writes(
            compiled=compiled,
            store=store,
            watermarks=watermarks,
            pushed=pushed,
            reached=reached,
            clock=clock,
            meters=meters,
            project=config.project,
        )
        windowing = Windowing(
            compiled=compiled,
            windows=windows,
            writes=writes,
            reached=reached,
            clock=clock,
            meters=meters,
            project=config.project,
        )
        intake = Intake(compiled, writes, windowing)
        rebuilding = Rebuilding(
            catalogue=catalogue,
            compiled=compiled,
            windows=windows,
            past=LoggedPast(log, TOPIC),
            pushed=pushed,
            store=store,
            writes=writes,
            clock=clock,
            project=config.project,
        )
        artifacts, sets = FileArtifacts(config.folder / "artifacts"), SqlTrainingSets(database)
        joiner = ProcessJoiner(
            config.folder / "joins",
            config.sources,
            threads=config.training_sets.threads,
            memory_mib=config.training_sets.memory_mib,
        )
        building = Building(sets, joiner, artifacts, clock)
        servicer = FeatureServicer(
            views=Views(catalogue, clock, compiled.forget),
            services=Services(catalogue, clock, compiled.forget),
            reads=Reads(compiled, store, reached, clock, config.project),
            intake=intake,
            progress=Progress(compiled, watermarks, reached),
            store=store,
            spines=Spines(artifacts, config.training_sets.max_spine_bytes),
            sets=Sets(
                sets=sets,
                catalogue=catalogue,
                sources=FileSources(config.sources),
                artifacts=artifacts,
                clock=clock,
                code=joiner.code,
                accepted=building.wake,
            ),
        )
        contract = features_pb2.DESCRIPTOR.services_by_name["FeatureStoreService"]
        yield Parts(
            Loop("ingestion", Ingestion(consumer, intake, meters, clock, rebuilding.turn).run),
            Loop("rebuilding", rebuilding.run),
            Loop("upkeep", Upkeep(windows, clock, inbox_days=config.inbox_days).run),
            Loop("training sets", building.run),
            Server(config.rpc, [service(contract, servicer)]),
        )


async def serve(config: FeatureServingConfig) -> None:
    """Serve until a signal; see the charter."""
    with observe.start(config.observe, "feature_serving"):
        async with compose(config) as parts:
            await lifecycle.run(*parts)
