from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace

import pytest

from slipway.clock import ManualClock
from slipway.errors import Exhausted, SlipwayError, Unavailable
from slipway.events import Event, Fenced, Record, consume

MakeEvent = Callable[..., Event]


@dataclass
class ListConsumer:
    """A group member over a list: ``committed`` is the next offset, ``letters`` are (offset, error)."""

    records: list[Record]
    committed: int = 0
    letters: list[tuple[int, str]] = field(default_factory=list)
    refusals: list[Exception] = field(default_factory=list)
    drained: asyncio.Event = field(default_factory=asyncio.Event)

    async def poll(self, limit: int, timeout_s: float) -> Sequence[Record]:
        self._refuse()
        found = self.records[:limit]
        del self.records[:limit]
        if not found:
            self.drained.set()
            await asyncio.Event().wait()
        return found

    async def commit(self, records: Sequence[Record]) -> None:
        self._refuse()
        self.committed = records[-1].offset + 1

    async def dead_letter(self, record: Record, error: str) -> None:
        self._refuse()
        self.letters.append((record.offset, error))

    def _refuse(self) -> None:
        if self.refusals:
            raise self.refusals.pop()


@pytest.fixture
def consumer(make_event: MakeEvent) -> ListConsumer:
    return ListConsumer([Record(make_event(str(offset)), 0, offset) for offset in range(6)])


async def until(wanted: asyncio.Event, loop: Coroutine[object, object, None], clock: ManualClock) -> None:
    """Run the loop until ``wanted``, letting any wait pass at once; raises what the loop raises."""
    task = asyncio.create_task(loop)
    try:
        while not wanted.is_set() and not task.done():
            await asyncio.sleep(0)
            clock.advance(60)
        if task.done():
            await task
    finally:
        task.cancel()
        await asyncio.wait({task})


async def test_records_are_committed_after_their_effect(consumer: ListConsumer) -> None:
    seen: list[tuple[int, int]] = []

    async def handle(records: Sequence[Record]) -> None:
        seen.append((len(records), consumer.committed))

    clock = ManualClock()
    await until(consumer.drained, consume(consumer, handle, clock=clock, limit=4), clock)
    assert seen == [(4, 0), (2, 4)]
    assert consumer.committed == 6


@pytest.mark.parametrize("error", [Unavailable("away"), Exhausted("disk full", retry_after_s=5)])
async def test_while_the_effect_has_no_place_nothing_is_set_aside(consumer: ListConsumer, error: SlipwayError) -> None:
    calls: list[int] = []

    async def handle(records: Sequence[Record]) -> None:
        calls.append(len(records))
        if len(calls) < 50:
            raise error

    clock = ManualClock()
    await until(consumer.drained, consume(consumer, handle, clock=clock, attempts=2), clock)
    assert calls == [6] * 50
    assert consumer.letters == []
    assert consumer.committed == 6


async def test_a_poison_record_alone_is_set_aside_after_its_attempts(consumer: ListConsumer) -> None:
    tries: list[int] = []
    kept: list[int] = []
    counted: list[int] = []

    async def handle(records: Sequence[Record]) -> None:
        if any(record.offset == 3 for record in records):
            tries.append(len(records))
            raise LookupError("no such model")
        kept.extend(record.offset for record in records)

    clock = ManualClock()
    loop = consume(
        consumer, handle, clock=clock, attempts=3, on_dead_letter=lambda record: counted.append(record.offset)
    )
    await until(consumer.drained, loop, clock)
    assert kept == [0, 1, 2, 4, 5]
    assert tries == [6, 1, 1, 1]
    assert consumer.letters == [(3, "LookupError: no such model")]
    assert counted == [3]
    assert consumer.committed == 6


async def test_a_record_that_recovers_within_its_attempts_is_kept(consumer: ListConsumer) -> None:
    failures = [ValueError("once"), ValueError("twice")]

    async def handle(records: Sequence[Record]) -> None:
        if records[0].offset == 0 and failures:
            raise failures.pop()

    clock = ManualClock()
    await until(consumer.drained, consume(consumer, handle, clock=clock, attempts=3), clock)
    assert consumer.letters == []
    assert consumer.committed == 6


async def test_an_unavailable_log_is_waited_for(consumer: ListConsumer) -> None:
    consumer.refusals = [Unavailable("away") for _ in range(20)]

    async def handle(_records: Sequence[Record]) -> None:
        consumer.refusals = [Unavailable("away again")] if consumer.committed == 0 else []

    clock = ManualClock()
    await until(consumer.drained, consume(consumer, handle, clock=clock), clock)
    assert consumer.committed == 6


async def test_a_member_that_is_fenced_for_good_stops_at_once(consumer: ListConsumer) -> None:
    async def handle(_records: Sequence[Record]) -> None:
        consumer.refusals = [Fenced("g"), Fenced("g")]

    clock = ManualClock()
    with pytest.raises(Fenced):
        await until(consumer.drained, consume(consumer, handle, clock=clock), clock)
    assert consumer.committed == 0
    assert consumer.letters == []


async def test_records_that_became_anothers_are_left_and_the_member_goes_on(consumer: ListConsumer) -> None:
    seen: list[int] = []

    async def handle(records: Sequence[Record]) -> None:
        seen.extend(record.offset for record in records)
        consumer.refusals = [Fenced("g")] if len(seen) == 2 else []

    clock = ManualClock()
    await until(consumer.drained, consume(consumer, handle, clock=clock, limit=2), clock)
    assert seen == [0, 1, 2, 3, 4, 5]
    assert consumer.committed == 6
    assert consumer.letters == []


async def test_what_carries_no_event_is_set_aside_unseen(consumer: ListConsumer) -> None:
    consumer.records[2] = replace(consumer.records[2], unreadable="ce_id: is missing")
    seen: list[int] = []
    counted: list[int] = []

    async def handle(records: Sequence[Record]) -> None:
        seen.extend(record.offset for record in records)
        if len(seen) == 5:
            raise LookupError("makes the loop go one by one")

    clock = ManualClock()
    loop = consume(consumer, handle, clock=clock, on_dead_letter=lambda record: counted.append(record.offset))
    await until(consumer.drained, loop, clock)
    assert seen == [0, 1, 3, 4, 5] * 2
    assert consumer.letters == [(2, "ce_id: is missing")]
    assert counted == [2]
    assert consumer.committed == 6


async def test_cancelled_within_the_effect_nothing_is_committed(consumer: ListConsumer) -> None:
    started = asyncio.Event()

    async def handle(_records: Sequence[Record]) -> None:
        started.set()
        await asyncio.Event().wait()

    clock = ManualClock()
    await until(started, consume(consumer, handle, clock=clock), clock)
    assert consumer.committed == 0
    assert consumer.letters == []
