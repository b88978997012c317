"""How long a transaction may wait for a server that neither answers nor refuses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncEngine

from slipway.sql.place import POSTGRESQL
from slipway.sqlite import DatabaseUnreachable

# Longer than any statement of its own may take: behind a broken link nobody says so.
_PATIENCE_S = 45.0


@asynccontextmanager
async def patience(engine: AsyncEngine) -> AsyncIterator[None]:
    """Bound the block, where the database is a server's. Raises DatabaseUnreachable."""
    if engine.dialect.name != POSTGRESQL:
        yield
        return
    bound = asyncio.timeout(_PATIENCE_S)
    try:
        async with bound:
            yield
    except TimeoutError as error:
        if not bound.expired():
            raise
        raise DatabaseUnreachable("the database does not answer; try again", retry_after_s=1.0) from error
