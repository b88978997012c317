"""Reading whole topics of a platform."""

from __future__ import annotations

import asyncio
import time

from slipway.events import EventLog, Record
from slipway.events.connect import open_log

_PAGE = 1000
_WITHIN_S = 30.0
_QUIET_S = 1.5


async def read_all(log: EventLog, topic: str) -> list[Record]:
    """Every record that the topic holds, partition by partition, in order."""
    records: list[Record] = []
    for info in await log.topics():
        if info.name != topic:
            continue
        offset = info.first_offset
        while page := await log.read(topic, offset, _PAGE, info.partition):
            records += page
            offset = page[-1].offset + 1
    return records


async def arrived(url: str, topic: str, at_least: int, within_s: float = _WITHIN_S) -> list[Record]:
    """The topic once it holds so many events and nothing more comes, each event id once; or as it is after a while.

    Publishing is at least once, and readers leave out an id that they have seen: so does this.
    """
    until_s, quiet_s, records = time.monotonic() + within_s, 0.0, list[Record]()
    async with open_log(url) as log:
        while time.monotonic() < until_s and quiet_s < _QUIET_S:
            await asyncio.sleep(0.1)
            before, records = len(records), once_each(await read_all(log, topic))
            quiet_s = quiet_s + 0.1 if len(records) == before and len(records) >= at_least else 0.0
    return records


def once_each(records: list[Record]) -> list[Record]:
    """Without those whose event id came before."""
    firsts: dict[str, Record] = {}
    for one in records:
        firsts.setdefault(one.event.id, one)
    return list(firsts.values())
