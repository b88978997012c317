"""The online store in Redis."""

from __future__ import annotations

import asyncio
import logging

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError
from redis.exceptions import ConnectionError as Unconnected

from services.feature_serving.domain.view import StoreState

log = logging.getLogger(__name__)


class RedisStore:
    """See OnlineStore. It connects anew for each look, so that no stale connection tells for a server that is gone."""

    def __init__(self, url: str, password: str | None = None, timeout_s: float = 1.0) -> None:
        self._url = url
        self._password = password
        self._timeout_s = timeout_s

    async def state(self) -> StoreState:
        """See OnlineStore."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._look()
        except TimeoutError:
            return StoreState(reachable=False, reason=f"it did not answer within {self._timeout_s:g} s")
        except (RedisError, OSError) as error:
            # What the driver says is for the log alone; a store that is down needs no traceback at every look.
            log.warning("the online store does not answer", extra={"error": f"{type(error).__name__}: {error}"})
            return StoreState(reachable=False, reason=_reason(error))

    async def _look(self) -> StoreState:
        # A retry would hide a restart that happens just now; the password comes apart from the address.
        client: Redis = Redis.from_url(self._url, password=self._password, retry=Retry(NoBackoff(), 0))
        async with client:
            facts = await client.info("server")
            keys = await client.dbsize()
        return StoreState(reachable=True, server_version=str(facts.get("redis_version", "")), keys=int(keys))


def _reason(error: Exception) -> str:
    if isinstance(error, AuthenticationError | NoPermissionError):
        return "it refuses the user or the password; see redis_url and redis_password_file"
    if isinstance(error, Unconnected | OSError):
        return "nothing answers at its address; start it, or correct redis_url"
    return "it answered with an error; the service's log says which"
