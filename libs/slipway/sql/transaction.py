"""One transaction on an engine, begun on a connection that is alive."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from slipway.sql.place import POSTGRESQL
from slipway.sqlite import DatabaseUnreachable

# Longer than a server lets a statement take, or a transaction pause: behind a broken link nobody says anything.
_PATIENCE_S = 60.0


@asynccontextmanager
async def begun(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A transaction, committed when the block ends, rolled back when it raises.

    Raises DatabaseUnreachable for a server that neither answers nor refuses, wherever in the block.
    """
    server = engine.dialect.name == POSTGRESQL
    bound = asyncio.timeout(_PATIENCE_S if server else None)
    try:
        async with bound, AsyncExitStack() as opened:
            yield await _begin(engine, opened, again=server)
    except TimeoutError as error:
        if not bound.expired():
            raise
        raise DatabaseUnreachable("the database does not answer; try again", retry_after_s=1.0) from error


async def _begin(engine: AsyncEngine, opened: AsyncExitStack, *, again: bool) -> AsyncConnection:
    connection = await opened.enter_async_context(engine.connect())
    try:
        await opened.enter_async_context(connection.begin())
    except DatabaseUnreachable:
        # A kept connection to a server that was restarted since: nothing was done on it, so another is as good. To ask
        # each time whether it is alive would cost every transaction a round trip.
        await connection.close()
        if not again:
            raise
        return await _begin(engine, opened, again=False)
    return connection
