"""What the suite does in processes of their own, which it kills. Run: child.py VERB ARGUMENT..."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from slipway.clock import SystemClock
from slipway.events import Event
from slipway.events.connect import open_log
from slipway.events.outbox import Relay
from slipway.sql import Database


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def publish(url: str, topic: str, key: str, count: str) -> None:
    """Publish ``count`` events of one key, ten at a time."""
    now = datetime.now(UTC)
    async with open_log(url) as log:
        publisher = log.publisher()
        for start in range(0, int(count), 10):
            numbers = range(start, start + 10)
            events = [Event(f"{key}-{n}", topic, key, "t", "/child", now, str(n).encode()) for n in numbers]
            await publisher.publish(events)


async def publish_then_die(url: str, topic: str) -> None:
    """Publish one event and be killed as soon as publish has returned."""
    async with open_log(url) as log:
        await log.publisher().publish([Event("last-words", topic, "k", "t", "/child", datetime.now(UTC), b"")])
        die()


async def effect_then_die(url: str, topic: str, group: str, effects: str) -> None:
    """Commit the first two records, keep the effect of the next two, be killed before their commit."""
    async with open_log(url) as log, log.consumer([topic], group) as consumer:
        with open(effects, "a", encoding="utf-8") as kept:  # noqa: ASYNC230, PTH123 - a process of its own
            for turn in range(2):
                records = await consumer.poll(2, 30)
                kept.writelines(f"{record.event.id}\n" for record in records)
                kept.flush()
                if turn == 1:
                    die()
                await consumer.commit(records)


async def relay_then_die(url: str, database_url: str, when: str) -> None:
    """Relay an outbox and be killed ``before`` the publish or ``after`` it, before the rows are removed."""

    class Deadly:
        async def publish(self, events: Sequence[Event]) -> None:
            if when == "after":
                await log.publisher().publish(events)
            die()

    async with open_log(url) as log, Database.open(database_url) as database:
        await Relay(database, Deadly(), SystemClock()).run()


VERBS = {verb.__name__: verb for verb in (publish, publish_then_die, effect_then_die, relay_then_die)}

if __name__ == "__main__":
    asyncio.run(VERBS[sys.argv[1]](*sys.argv[2:]))
