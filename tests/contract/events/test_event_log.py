"""What every event log promises, whichever stands behind the port."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from slipway.clock import SystemClock
from slipway.errors import Kind
from slipway.events import (
    DEFAULT_LIMIT_BYTES,
    Backoff,
    Consumer,
    Event,
    EventLog,
    EventTooLarge,
    Fenced,
    Record,
    Span,
    consume,
    dead_letter_topic,
)

MakeEvent = Callable[..., Event]
Held = Callable[[EventLog, str], Awaitable[Sequence[Record]]]
CHILD = Path(__file__).with_name("child.py")
# Long enough for a slow machine; nothing waits for it to pass.
PATIENCE_S = 30.0


async def child(*arguments: str) -> int:
    process = await asyncio.create_subprocess_exec(sys.executable, str(CHILD), *arguments)
    return await process.wait()


async def take(consumer: Consumer, count: int, limit: int = 100) -> list[Record]:
    """Poll until ``count`` records came, committing none."""
    taken: list[Record] = []
    while len(taken) < count:
        records = await consumer.poll(limit, PATIENCE_S)
        assert records, f"{len(taken)} of {count} records came"
        taken.extend(records)
    return taken


def ids(records: Sequence[Record]) -> list[str]:
    return [record.event.id for record in records]


class TestPublishing:
    async def test_an_event_arrives_as_it_was(self, log: EventLog, make_event: MakeEvent) -> None:
        event = make_event(
            "é-1",
            key="clé/\n",
            value=bytes(range(256)),
            headers={"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "note": "ünï"},
        )
        await log.publisher().publish([event])
        async with log.consumer([event.topic], "g") as consumer:
            (record,) = await take(consumer, 1)
        assert record.event == event

    async def test_a_value_that_lies_in_a_file_arrives_when_the_file_is_gone(
        self, log: EventLog, make_event: MakeEvent, tmp_path: Path
    ) -> None:
        file, value = tmp_path / "values", bytes(range(256)) * 100
        file.write_bytes(b"before" + value + b"behind")
        event = make_event("large", value=value, span=Span(file, len(b"before"), len(value)))
        await log.publisher().publish([event, make_event("small", value=b"v", span=Span(file, 0, 1))])
        file.unlink()
        async with log.consumer([event.topic], "g") as consumer:
            records = await take(consumer, 2)
        assert [record.event.value for record in records] == [value, b"v"]
        assert [record.event.span for record in records] == [None, None]

    async def test_an_empty_batch_is_no_error(self, log: EventLog) -> None:
        await log.publisher().publish([])

    async def test_many_that_are_published_together_arrive_in_order(self, log: EventLog, make_event: MakeEvent) -> None:
        events = [make_event(f"{number}") for number in range(687)]
        await log.publisher().publish(events)
        async with log.consumer([events[0].topic], "g") as consumer:
            assert ids(await take(consumer, len(events))) == [event.id for event in events]

    async def test_the_events_of_a_key_keep_their_order(self, log: EventLog, make_event: MakeEvent) -> None:
        events = [make_event(f"{number}", key=f"key-{number % 5}") for number in range(300)]
        for start in range(0, 300, 37):
            await log.publisher().publish(events[start : start + 37])
        async with log.consumer([events[0].topic], "g") as consumer:
            records = await take(consumer, 300, limit=11)
        for key in {event.key for event in events}:
            seen = [record.event.id for record in records if record.event.key == key]
            assert seen == [event.id for event in events if event.key == key]

    async def test_publishing_again_adds_no_new_id(self, log: EventLog, make_event: MakeEvent, adapter: Any) -> None:
        first, second, third = make_event("1"), make_event("2"), make_event("3")
        await log.publisher().publish([first, second, first])
        await log.publisher().publish([second, third])
        async with log.consumer([first.topic], "g") as consumer:
            records = await take(consumer, 3 if adapter.drops_repeats else 5)
        assert list(dict.fromkeys(ids(records))) == ["1", "2", "3"]

    async def test_an_oversized_event_is_refused_with_its_batch(
        self, log: EventLog, make_event: MakeEvent, held: Held
    ) -> None:
        large = make_event("large", value=bytes(DEFAULT_LIMIT_BYTES + 1))
        with pytest.raises(EventTooLarge) as caught:
            await log.publisher().publish([make_event("small"), large])
        assert caught.value.kind is Kind.INVALID_ARGUMENT
        assert str(large.size_bytes) in caught.value.message
        assert str(DEFAULT_LIMIT_BYTES) in caught.value.message
        assert await held(log, large.topic) == []

    async def test_the_largest_event_is_taken(self, log: EventLog, make_event: MakeEvent, held: Held) -> None:
        event = make_event("large", value=bytes(DEFAULT_LIMIT_BYTES - len("k")))
        await log.publisher().publish([event])
        assert [record.event for record in await held(log, event.topic)] == [event]

    async def test_what_was_published_survives_kill_9(self, url: str, log: EventLog, topic: str, held: Held) -> None:
        assert await child("publish_then_die", url, topic) == -signal.SIGKILL
        assert ids(await held(log, topic)) == ["last-words"]

    async def test_processes_publish_at_once_while_one_reads(self, url: str, log: EventLog, topic: str) -> None:
        async with log.consumer([topic], "g") as consumer:
            children = [asyncio.create_task(child("publish", url, topic, key, "300")) for key in ("a", "b")]
            records = await take(consumer, 600)
            assert await asyncio.gather(*children) == [0, 0]
            assert await consumer.poll(100, 0) == []
        for key in ("a", "b"):
            seen = [record.event.id for record in records if record.event.key == key]
            assert seen == [f"{key}-{number}" for number in range(300)]
        for partition in {record.partition for record in records}:
            offsets = [record.offset for record in records if record.partition == partition]
            assert offsets == sorted(set(offsets))


class TestConsuming:
    async def test_poll_gives_nothing_when_nothing_came(self, log: EventLog, topic: str) -> None:
        async with log.consumer([topic], "g") as consumer:
            assert await consumer.poll(10, 0) == []
            assert await consumer.poll(10, 0.001) == []

    async def test_a_waiting_poll_wakes_for_a_new_event(self, log: EventLog, make_event: MakeEvent) -> None:
        event = make_event("1")
        async with log.consumer([event.topic], "g") as consumer:
            waiting = asyncio.create_task(consumer.poll(10, PATIENCE_S))
            await log.publisher().publish([event])
            assert ids(await waiting) == ["1"]

    async def test_poll_keeps_to_its_limit_and_goes_on(self, log: EventLog, make_event: MakeEvent) -> None:
        events = [make_event(str(number)) for number in range(5)]
        await log.publisher().publish(events)
        async with log.consumer([events[0].topic], "g") as consumer:
            polled = [ids(await consumer.poll(2, PATIENCE_S)) for _ in range(3)]
        assert polled == [["0", "1"], ["2", "3"], ["4"]]

    async def test_a_busy_topic_does_not_starve_another(
        self, log: EventLog, make_event: MakeEvent, adapter: Any
    ) -> None:
        busy = [make_event(str(number)) for number in range(50)]
        other = make_event("other", topic=f"{busy[0].topic}.other")
        await log.publisher().publish([*busy, other])
        async with log.consumer([busy[0].topic, other.topic], "g") as consumer:
            first = await take(consumer, 4, limit=2)
            if adapter.takes_turns:
                assert "other" in ids(first)
            assert len(await take(consumer, 51 - len(first))) == 51 - len(first)

    async def test_a_new_member_starts_where_the_group_committed(self, log: EventLog, make_event: MakeEvent) -> None:
        events = [make_event(str(number)) for number in range(4)]
        await log.publisher().publish(events)
        async with log.consumer([events[0].topic], "g") as consumer:
            await consumer.commit(await consumer.poll(1, PATIENCE_S))
            await consumer.poll(2, PATIENCE_S)
        async with log.consumer([events[0].topic], "g") as consumer:
            assert ids(await take(consumer, 3)) == ["1", "2", "3"]

    async def test_groups_do_not_see_each_other(self, log: EventLog, make_event: MakeEvent) -> None:
        event = make_event("1")
        await log.publisher().publish([event])
        for group in ("one", "two"):
            async with log.consumer([event.topic], group) as consumer:
                records = await take(consumer, 1)
                await consumer.commit(records)
                assert ids(records) == ["1"]

    async def test_kill_9_between_effect_and_commit_replays(
        self, url: str, log: EventLog, make_event: MakeEvent, tmp_path: Path
    ) -> None:
        events = [make_event(str(number)) for number in range(5)]
        await log.publisher().publish(events)
        effects = tmp_path / "effects"
        assert await child("effect_then_die", url, events[0].topic, "g", str(effects)) == -signal.SIGKILL
        assert effects.read_text().split() == ["0", "1", "2", "3"]
        async with log.consumer([events[0].topic], "g") as consumer:
            assert ids(await take(consumer, 3)) == ["2", "3", "4"]

    async def test_an_older_member_is_fenced(self, log: EventLog, make_event: MakeEvent, held: Held) -> None:
        event = make_event("1")
        await log.publisher().publish([event])
        async with log.consumer([event.topic], "g") as old:
            records = await take(old, 1)
            async with log.consumer([event.topic], "g") as new:
                assert ids(await take(new, 1)) == ["1"]
                with pytest.raises(Fenced) as caught:
                    await old.commit(records)
                assert caught.value.kind is Kind.ABORTED
                with pytest.raises(Fenced):
                    await old.poll(1, PATIENCE_S)
                with pytest.raises(Fenced):
                    await old.dead_letter(records[0], "not mine any more")
                await new.commit(records)
        assert await held(log, dead_letter_topic(event.topic, "g")) == []


class TestDeadLetters:
    async def test_a_dead_letter_has_all_that_the_record_had(
        self, log: EventLog, make_event: MakeEvent, held: Held
    ) -> None:
        event = make_event("1", key="flight-7", value=b"\x00junk\xff", headers={"traceparent": "00-1-2-03"})
        await log.publisher().publish([make_event("0"), event])
        async with log.consumer([event.topic], "g") as consumer:
            _, record = await take(consumer, 2)
            for _ in range(2):
                await consumer.dead_letter(record, "Unreadable: no such field")
        letters = await held(log, dead_letter_topic(event.topic, "g"))
        assert set(ids(letters)) == {"1"}
        letter = letters[0].event
        assert (letter.value, letter.key, letter.type, letter.time) == (event.value, event.key, event.type, event.time)
        assert letter.headers == {
            "traceparent": "00-1-2-03",
            "dlq-topic": event.topic,
            "dlq-partition": str(record.partition),
            "dlq-offset": str(record.offset),
            "dlq-group": "g",
            "dlq-error": "Unreadable: no such field",
        }

    async def test_the_largest_event_can_be_set_aside(self, log: EventLog, make_event: MakeEvent, held: Held) -> None:
        event = make_event("large", value=bytes(DEFAULT_LIMIT_BYTES - len("k")))
        await log.publisher().publish([event])
        async with log.consumer([event.topic], "g") as consumer:
            (record,) = await take(consumer, 1)
            await consumer.dead_letter(record, "too much")
        (letter,) = await held(log, dead_letter_topic(event.topic, "g"))
        assert letter.event.value == event.value

    async def test_a_poison_record_is_set_aside_and_the_topic_goes_on(
        self, log: EventLog, make_event: MakeEvent, held: Held
    ) -> None:
        events = [make_event(str(number)) for number in range(6)]
        await log.publisher().publish(events)
        kept: list[str] = []
        ended = asyncio.Event()

        async def handle(records: Sequence[Record]) -> None:
            if "3" in ids(records):
                raise ValueError("poison")
            kept.extend(name for name in ids(records) if name not in kept)
            if "5" in kept:
                ended.set()

        async with log.consumer([events[0].topic], "g") as consumer:
            still = Backoff(first_s=0, limit_s=0)
            loop = asyncio.create_task(consume(consumer, handle, clock=SystemClock(), attempts=2, backoff=still))
            await asyncio.wait_for(ended.wait(), PATIENCE_S)
            loop.cancel()
            with pytest.raises(asyncio.CancelledError):
                await loop
        assert kept == ["0", "1", "2", "4", "5"]
        (letter,) = await held(log, dead_letter_topic(events[0].topic, "g"))
        assert letter.event.headers["dlq-error"] == "ValueError: poison"


class TestLooking:
    async def test_read_pages_by_offset(self, log: EventLog, make_event: MakeEvent) -> None:
        events = [make_event(str(number)) for number in range(5)]
        await log.publisher().publish(events)
        (place,) = [info.partition for info in await log.topics([events[0].topic]) if info.count]
        page = await log.read(events[0].topic, limit=2, partition=place)
        following = await log.read(events[0].topic, page[-1].offset + 1, 2, place)
        assert [ids(page), ids(following)] == [["0", "1"], ["2", "3"]]
        assert await log.read(events[0].topic, page[0].offset + 5, 2, place) == []
        assert await log.read(events[0].topic, partition=77) == []
        assert await log.read("no.such.topic") == []

    async def test_topics_are_counted(self, log: EventLog, make_event: MakeEvent) -> None:
        events = [make_event(str(number), key=str(number)) for number in range(50)]
        await log.publisher().publish([*events, make_event("other", topic=f"{events[0].topic}.other")])
        infos = [info for info in await log.topics() if info.name == events[0].topic]
        assert infos == await log.topics([events[0].topic])
        assert sum(info.count for info in infos) == 50
        assert sum(info.next_offset - info.first_offset for info in infos) == 50

    async def test_where_a_group_goes_on_is_what_it_committed(self, log: EventLog, make_event: MakeEvent) -> None:
        events = [make_event(str(number), key=str(number % 7)) for number in range(50)]
        topic = events[0].topic
        await log.publisher().publish(events)
        assert await log.committed([topic], "g") == {}
        async with log.consumer([topic], "g") as consumer:
            records = await take(consumer, 50)
            await consumer.commit(records)
        reached = {(topic, info.partition): info.next_offset for info in await log.topics([topic]) if info.count}
        assert await log.committed([topic], "g") == reached
        assert await log.committed([f"{topic}.other"], "g") == {}

    async def test_a_topic_is_replayed_from_its_start_and_from_an_offset(
        self, log: EventLog, make_event: MakeEvent, held: Held
    ) -> None:
        events = [make_event(str(number)) for number in range(9)]
        await log.publisher().publish(events)
        async with log.consumer([events[0].topic], "g") as consumer:
            await consumer.commit(await take(consumer, 9))
        async with log.consumer([events[0].topic], "another") as consumer:
            assert ids(await take(consumer, 9)) == [event.id for event in events]
        third = (await held(log, events[0].topic))[3]
        again = await log.read(events[0].topic, third.offset, partition=third.partition)
        assert ids(again) == ["3", "4", "5", "6", "7", "8"]
