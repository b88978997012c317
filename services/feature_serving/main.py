"""Feature serving's composition root."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from services.feature_serving.adapters.redis import RedisStore
from services.feature_serving.adapters.sql import MIGRATIONS, SqlCatalogue
from services.feature_serving.api.servicer import FeatureServicer
from services.feature_serving.config import FeatureServingConfig
from services.feature_serving.engine.views import Views
from slipway import lifecycle, observe
from slipway.clock import SystemClock
from slipway.gen.slipway.features.v1 import features_pb2
from slipway.rpc.server import Server, service
from slipway.sql import Database


class Parts(NamedTuple):
    """What runs, in the order in which it starts."""

    server: Server


@asynccontextmanager
async def compose(config: FeatureServingConfig) -> AsyncIterator[Parts]:
    """Open everything that ``config`` names and wire it up; nothing runs or listens yet."""
    store = RedisStore(config.redis_url, config.redis_password())
    async with Database.open(config.database, MIGRATIONS) as database:
        views = Views(SqlCatalogue(database), SystemClock())
        contract = features_pb2.DESCRIPTOR.services_by_name["FeatureStoreService"]
        yield Parts(Server(config.rpc, [service(contract, FeatureServicer(views=views, store=store))]))


async def serve(config: FeatureServingConfig) -> None:
    """Serve until a signal; see the charter."""
    with observe.start(config.observe, "feature_serving"):
        async with compose(config) as parts:
            await lifecycle.run(*parts)
