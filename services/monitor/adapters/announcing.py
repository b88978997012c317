"""Events that commit with what they tell of."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from slipway.events import Event
from slipway.events.outbox import Outbox

_ANNOUNCED = "slipway.monitor.announced"


async def announce(connection: AsyncConnection, event: Event) -> None:
    """Keep ``event`` for the relay, in the transaction of ``connection``."""
    await Outbox.add(connection, [event])
    connection.info[_ANNOUNCED] = True


def announced(connection: AsyncConnection) -> bool:
    """Whether anything was announced since this was asked last."""
    return bool(connection.info.pop(_ANNOUNCED, False))
