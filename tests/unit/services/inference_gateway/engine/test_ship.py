from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from services.inference_gateway.engine.ship import Ship
from services.inference_gateway.ports import Backlog, Remembered
from slipway.clock import ManualClock
from slipway.errors import Unavailable
from slipway.events import Event


class Log:
    """A prediction log in a list."""

    def __init__(self) -> None:
        self.waiting: list[Event] = []
        self.added = 0

    def add(self, size: int = 10) -> None:
        self.added += 1
        self.waiting.append(Event(f"{self.added}", "t", "k", "x", "s", datetime.now(UTC), b"x" * size))

    def draft(self, _: object) -> bytes:
        raise NotImplementedError

    def append(self, *_: object) -> None:
        raise NotImplementedError

    def sync(self) -> None:
        pass

    async def sync_aside(self) -> None:
        pass

    def replay(self) -> Iterator[Remembered]:
        return iter(())

    def unshipped(self) -> Iterator[Event]:
        return iter(self.waiting)

    def shipped(self, events: Sequence[Event]) -> None:
        del self.waiting[: len(events)]

    def backlog(self) -> Backlog:
        return Backlog(len(self.waiting), 0, 1)


class Bus:
    """Counts what was published together; may be away."""

    def __init__(self) -> None:
        self.published: list[int] = []
        self.away = False

    async def publish(self, events: Sequence[Event]) -> None:
        if self.away:
            raise Unavailable("the bus is away")
        self.published.append(len(events))


@asynccontextmanager
async def shipping(log: Log, bus: Bus, clock: ManualClock) -> AsyncIterator[None]:
    task = asyncio.create_task(Ship(log, bus, clock, sync_s=1.0, flush_s=1.0).run())
    await turns()
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def turns() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_what_comes_within_a_moment_goes_together() -> None:
    log, bus, clock = Log(), Bus(), ManualClock()
    log.add()
    async with shipping(log, bus, clock):
        for _ in range(5):
            log.add()
            await turns()
        assert bus.published == [1]
        clock.advance(0.1)
        await turns()
        assert bus.published == [1, 5]


async def test_a_backlog_is_shipped_without_a_pause() -> None:
    log, bus, clock = Log(), Bus(), ManualClock()
    for _ in range(10):
        log.add(512 * 1024)
    async with shipping(log, bus, clock):
        assert bus.published == [2, 2, 2, 2, 2]


async def test_no_more_is_published_at_once_than_the_loop_can_spare_the_time_for() -> None:
    log, bus, clock = Log(), Bus(), ManualClock()
    for _ in range(1100):
        log.add()
    async with shipping(log, bus, clock):
        for _ in range(10):
            await turns()
        assert bus.published == [512, 512, 76]


async def test_what_is_read_in_pieces_is_published_together() -> None:
    log, bus, clock = Log(), Bus(), ManualClock()
    for _ in range(40):
        log.add()
    ship = asyncio.create_task(Ship(log, bus, clock, sync_s=1.0, flush_s=1.0).ship_some())
    await asyncio.sleep(0)
    assert (ship.done(), bus.published) == (False, [])  # others have had a turn
    log.add()
    assert await ship == (41, True)
    assert bus.published == [41]
    assert not log.waiting


async def test_a_bus_that_is_away_is_tried_again_later_and_later() -> None:
    log, bus, clock = Log(), Bus(), ManualClock()
    bus.away = True
    log.add()
    async with shipping(log, bus, clock):
        bus.away = False
        clock.advance(0.09)
        await turns()
        assert bus.published == []
        clock.advance(0.02)
        await turns()
        assert bus.published == [1]
        assert not log.waiting
