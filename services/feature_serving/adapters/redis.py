"""The online store in Redis: one server, for a write's rows lie on any of its keys."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, NoPermissionError, OutOfMemoryError, ReadOnlyError, RedisError
from redis.exceptions import ConnectionError as Unconnected

from services.feature_serving.adapters.lua import STAMPS, SWAP
from services.feature_serving.adapters.packing import pack_in_c
from services.feature_serving.adapters.redis_note import Note
from services.feature_serving.domain import wire
from services.feature_serving.domain.errors import ForeignData, OnlineStoreUnavailable
from services.feature_serving.domain.reading import Found, Lookup
from services.feature_serving.domain.rows import Batch, Row
from services.feature_serving.domain.view import StoreState
from slipway.failpoints import hit_async

log = logging.getLogger(__name__)
# The largest batch takes part of this; a server that is down is known at once.
_BATCH_S = 5.0


class RedisStore:
    """See OnlineStore. Close it at the end."""

    def __init__(self, url: str, password: str | None = None, timeout_s: float = 1.0, project: str = "slipway") -> None:
        self._url = url
        self._password = password
        self._timeout_s = timeout_s
        # Once more at once: a kept connection may be one to a server that has been restarted since.
        self._client = self._connect(retries=1)
        self._stamps = self._client.register_script(STAMPS)
        self._swap = self._client.register_script(SWAP)
        self._note = Note(self._client, project)

    def _connect(self, retries: int) -> Redis:
        # The password comes apart from the address, which is shown.
        return pack_in_c(Redis.from_url(self._url, password=self._password, retry=Retry(NoBackoff(), retries)))

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, password: str | None = None, project: str = "slipway") -> AsyncIterator[RedisStore]:
        """Keep connections to ``url`` while the block lasts; it need not answer yet."""
        store = cls(url, password, project=project)
        try:
            yield store
        finally:
            await store._client.aclose()

    async def read(self, asked: Sequence[Lookup]) -> Sequence[Sequence[Found]]:
        """See OnlineStore."""
        async with self._answering():
            pipeline = self._client.pipeline(transaction=False)
            for one in asked:
                for key in one.keys:
                    pipeline.hmget(key, one.fields)  # type: ignore[arg-type]  # takes any sequence
            replies = iter(await pipeline.execute() if len(pipeline) else [])
            return [[next(replies) for _ in one.keys] for one in asked]

    async def stamps(self, keys: Sequence[bytes], field: bytes) -> Found:
        """See OnlineStore."""
        async with self._answering():
            found: Found = await self._stamps(keys=keys, args=[field])
            return found

    async def swap(self, batch: Batch, rows: Sequence[Row], expected: Found) -> Sequence[bool]:
        """See OnlineStore."""
        arguments: list[Any] = [batch.timestamp_field, len(batch.fields), len(batch.missing)]
        arguments += batch.fields
        arguments += batch.missing
        for row, stamp in zip(rows, expected, strict=True):
            arguments += (stamp or b"", wire.timestamp(row.event_time_us), *row.values)
        await hit_async("online.write.before")
        async with self._answering():
            done = await self._swap(keys=[row.key for row in rows], args=arguments)
        await hit_async("online.write.after")
        return [bool(one) for one in done]

    async def whole(self) -> bool:
        """See Wholeness."""
        async with self._answering():
            return await self._note.whole()

    async def begin(self) -> str:
        """See Wholeness."""
        async with self._answering():
            return await self._note.begin()

    async def end(self, mark: str) -> bool:
        """See Wholeness."""
        async with self._answering():
            return await self._note.end(mark)

    @asynccontextmanager
    async def _answering(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(_BATCH_S):
                yield
        except TimeoutError:
            raise OnlineStoreUnavailable(f"it did not answer within {_BATCH_S:g} s") from None
        except (RedisError, OSError) as error:
            log.warning("the online store does not answer", extra={"error": f"{type(error).__name__}: {error}"})
            if "WRONGTYPE" in str(error):
                raise ForeignData from None
            raise OnlineStoreUnavailable(_reason(error)) from None

    async def state(self) -> StoreState:
        """See OnlineStore."""
        # Connected anew for each look, so that no stale connection tells for a server that is gone.
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
        # A retry would hide a restart that happens just now.
        async with self._connect(retries=0) as client:
            # Both of one moment: the note may be written just now.
            pipeline = client.pipeline(transaction=True)
            pipeline.info("server")
            pipeline.dbsize()
            pipeline.exists(self._note.key)
            facts, keys, notes = await pipeline.execute()
        return StoreState(reachable=True, server_version=str(facts.get("redis_version", "")), keys=int(keys - notes))


def _reason(error: Exception) -> str:
    if isinstance(error, AuthenticationError | NoPermissionError):
        return "it refuses the user or the password; see redis_url and redis_password_file"
    if isinstance(error, OutOfMemoryError):
        return "its memory is full; raise its maxmemory"
    if isinstance(error, ReadOnlyError):
        return "it is a read-only replica; let redis_url name the primary"
    if isinstance(error, Unconnected | OSError):
        return "nothing answers at its address; start it, or correct redis_url"
    return "it answered with an error; the service's log says which"
