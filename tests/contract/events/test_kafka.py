"""What the event log promises on Kafka alone: shared partitions, foreign messages, brokers that are away."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from slipway.clock import SystemClock
from slipway.errors import Kind, SlipwayError
from slipway.events import Backoff, Event, EventLog, EventTooLarge, Record, consume, dead_letter_topic
from slipway.events.connect import open_log
from slipway.supervisor.ports import free_port

MakeEvent = Callable[..., Event]
Held = Callable[[EventLog, str], Awaitable[Sequence[Record]]]
CHILD = Path(__file__).with_name("child.py")
PATIENCE_S = 30.0
AT_ONCE = Backoff(first_s=0, limit_s=0)


@pytest.fixture
def brokers(kafka_url: str) -> tuple[str, str]:
    """The brokers, and what stands before our topics' names there."""
    servers, prefix = kafka_url.removeprefix("kafka://").split("?prefix=")
    return servers, prefix


@pytest.fixture
def foreign(brokers: tuple[str, str], topic: str) -> Callable[..., None]:
    """Sends a message to the test's topic as somebody else does, who knows nothing of us."""
    servers, prefix = brokers
    producer = Producer({"bootstrap.servers": servers})

    def send(key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes | None]] | None = None) -> None:
        producer.produce(f"{prefix}{topic}", value, key, headers=headers)
        assert producer.flush(PATIENCE_S) == 0

    return send


@contextlib.asynccontextmanager
async def consuming(log: EventLog, topic: str, handle: Callable[[Sequence[Record]], Awaitable[None]]):  # type: ignore[no-untyped-def]
    async with log.consumer([topic], "g") as consumer:
        task = asyncio.create_task(consume(consumer, handle, clock=SystemClock(), poll_s=0.2, backoff=AT_ONCE))
        try:
            yield task
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


class Effects:
    """What a group made of records: the ids in order, each once, as an inbox keeps them."""

    def __init__(self, wanted: int) -> None:
        self.ids: list[str] = []
        self.keys: dict[str, str] = {}
        self.by: dict[str, set[int]] = {}
        self._wanted = wanted
        self.all = asyncio.Event()

    def member(self, name: str) -> Callable[[Sequence[Record]], Awaitable[None]]:
        async def handle(records: Sequence[Record]) -> None:
            for record in records:
                self.by.setdefault(name, set()).add(record.partition)
                if record.event.id not in self.keys:
                    self.ids.append(record.event.id)
                    self.keys[record.event.id] = record.event.key
            if len(self.ids) >= self._wanted:
                self.all.set()

        return handle

    def of(self, key: str) -> list[str]:
        return [one for one in self.ids if self.keys[one] == key]


class TestMembers:
    async def test_members_of_two_names_share_the_partitions_and_one_that_leaves_hands_its_own_over(
        self, kafka_url: str, make_event: MakeEvent
    ) -> None:
        events = [make_event(f"{n}", key=f"key-{n % 20}") for n in range(400)]
        topic, effects = events[0].topic, Effects(400)
        # Members without a name say so when they leave.
        async with open_log(f"{kafka_url}&member=") as log, contextlib.AsyncExitStack() as second:
            await log.publisher().publish(events[:100])
            async with consuming(log, topic, effects.member("first")):
                # Who comes first by chance has both for a moment.
                async with asyncio.timeout(PATIENCE_S):
                    while not effects.by.get("first"):
                        await asyncio.sleep(0.05)
                await second.enter_async_context(consuming(log, topic, effects.member("second")))
                for start in range(100, 300, 20):
                    await log.publisher().publish(events[start : start + 20])
                while not effects.by.get("second"):
                    await log.publisher().publish(events[280:300])
                    await asyncio.sleep(0.05)
                assert len(effects.by["second"]) == 1
                await second.aclose()
                await log.publisher().publish(events[300:])
                await asyncio.wait_for(effects.all.wait(), PATIENCE_S)
        for key in {event.key for event in events}:
            assert effects.of(key) == [event.id for event in events if event.key == key]

    async def test_a_member_that_is_killed_loses_its_partitions_and_nothing_is_lost(
        self, kafka_url: str, make_event: MakeEvent, tmp_path: Path
    ) -> None:
        events = [make_event(f"{n}", key=f"key-{n % 9}") for n in range(100)]
        topic, effects = events[0].topic, Effects(100)
        async with open_log(f"{kafka_url}&member=survivor&session_s=1") as log:
            await log.publisher().publish(events)
            # It has committed two records and kept the effect of two more.
            url, kept = f"{kafka_url}&member=victim&session_s=1", tmp_path / "effects"
            process = await asyncio.create_subprocess_exec(
                sys.executable, str(CHILD), "effect_then_die", url, topic, "g", str(kept)
            )
            assert await process.wait() == -signal.SIGKILL
            first, second, *_ = kept.read_text().split()
            effects.keys = {one.id: one.key for one in events if one.id in {first, second}}
            effects.ids = [first, second]
            async with consuming(log, topic, effects.member("survivor")):
                await asyncio.wait_for(effects.all.wait(), PATIENCE_S)
        for key in {event.key for event in events}:
            assert effects.of(key) == [event.id for event in events if event.key == key]

    async def test_a_member_that_waits_holds_up_no_other_consumer_of_its_group(
        self, kafka_url: str, make_event: MakeEvent
    ) -> None:
        event = make_event("1")
        other = make_event("2", topic=f"{event.topic}.other")
        told = asyncio.Event()

        async def waits_for_the_other(_records: Sequence[Record]) -> None:
            await told.wait()

        async def tells(_records: Sequence[Record]) -> None:
            told.set()

        async with open_log(kafka_url) as log:
            await log.publisher().publish([event])
            async with consuming(log, event.topic, waits_for_the_other), consuming(log, other.topic, tells):
                await log.publisher().publish([other])
                await asyncio.wait_for(told.wait(), PATIENCE_S)

    async def test_a_poll_that_is_cancelled_loses_nothing(self, kafka_url: str, make_event: MakeEvent) -> None:
        events = [make_event(f"{n}") for n in range(50)]
        async with open_log(kafka_url) as log, log.consumer([events[0].topic], "g") as consumer:
            await log.publisher().publish(events)
            seen: list[str] = []
            for pause_s in (0, 0.001, 0.01, 0.1) * 3:
                with contextlib.suppress(TimeoutError):
                    seen += [one.event.id for one in await asyncio.wait_for(consumer.poll(3, 5), pause_s)]
            while len(seen) < 50:
                seen += [one.event.id for one in await consumer.poll(7, PATIENCE_S)]
        assert seen == [event.id for event in events]


class TestForeignMessages:
    async def test_what_is_no_event_is_set_aside_with_its_bytes_and_holds_up_nothing(
        self, kafka_url: str, make_event: MakeEvent, foreign: Callable[..., None], held: Held, brokers: tuple[str, str]
    ) -> None:
        event, effects, counted = make_event("sound"), Effects(2), []
        async with open_log(f"{kafka_url}&partitions=1") as log:
            await log.publisher().publish([make_event("first")])
            foreign(None, b"no headers at all")
            foreign(b"\xff\xfe", None, [("ce_id", b"tombstone"), ("odd", None)])
            foreign(b"k", b"\x00\xff", [("ce_id", b"\xff"), ("twice", b"1"), ("twice", b"2")])
            foreign(b"k", b"v", [("ce_id", b"7"), ("ce_type", b"t"), ("ce_source", b"/s"), ("ce_time", b"yesterday")])
            await log.publisher().publish([event])
            async with log.consumer([event.topic], "g") as consumer:
                loop = consume(
                    consumer,
                    effects.member("g"),
                    clock=SystemClock(),
                    limit=2,
                    poll_s=0.2,
                    on_dead_letter=counted.append,
                )
                task = asyncio.create_task(loop)
                await asyncio.wait_for(effects.all.wait(), PATIENCE_S)
                reached = {}
                while reached != {(event.topic, 0): 6}:
                    reached = await log.committed([event.topic], "g")
                task.cancel()
                await asyncio.wait([task])
            assert effects.ids == ["first", "sound"]
            assert len(counted) == 4
            bare, tombstone, junk, undated = await held(log, dead_letter_topic(event.topic, "g"))
            read = (await held(log, event.topic))[1]
            assert (read.event.value, read.unreadable) == (b"no headers at all", counted[0].unreadable)
        assert (bare.raw_key, bare.raw_value) == (None, b"no headers at all")  # type: ignore[attr-defined]
        assert (tombstone.raw_key, tombstone.raw_value) == (b"\xff\xfe", None)  # type: ignore[attr-defined]
        assert tombstone.raw_headers[:2] == [("ce_id", b"tombstone"), ("odd", None)]  # type: ignore[attr-defined]
        assert junk.raw_headers[:3] == [("ce_id", b"\xff"), ("twice", b"1"), ("twice", b"2")]  # type: ignore[attr-defined]
        told = dict(undated.raw_headers)  # type: ignore[attr-defined]
        assert (told["dlq-topic"], told["dlq-offset"], told["ce_id"]) == (event.topic.encode(), b"4", b"7")
        assert b"ce_time" in told["dlq-error"]

    async def test_a_topic_that_takes_less_is_respected_before_anything_is_written(
        self, kafka_url: str, make_event: MakeEvent, brokers: tuple[str, str], held: Held
    ) -> None:
        servers, prefix = brokers
        event = make_event("large", value=bytes(20_000))
        new = NewTopic(f"{prefix}{event.topic}", 1, 1, config={"max.message.bytes": "10000"})
        admin = AdminClient({"bootstrap.servers": servers})
        for made in admin.create_topics([new]).values():
            made.result(PATIENCE_S)
        async with open_log(kafka_url) as log:
            with pytest.raises(EventTooLarge):
                await log.publisher().publish([make_event("small"), event])
            assert await held(log, event.topic) == []
            await log.publisher().publish([make_event("fits", value=bytes(9_000))])
            assert len(await held(log, event.topic)) == 1


class TestAway:
    @pytest.fixture
    def nowhere(self) -> str:
        return f"kafka://127.0.0.1:{free_port()}?timeout_s=0.5"

    async def test_without_brokers_everything_is_unavailable_in_time(self, nowhere: str, make_event: MakeEvent) -> None:
        event = make_event("1")
        async with open_log(nowhere) as log, log.consumer([event.topic], "g") as consumer:
            for call in (
                lambda: log.publisher().publish([event]),
                lambda: consumer.poll(1, 10),
                log.topics,
                lambda: log.read(event.topic),
                lambda: log.committed([event.topic], "g"),
            ):
                with pytest.raises(SlipwayError) as caught:
                    await asyncio.wait_for(call(), 10)
                assert caught.value.kind is Kind.UNAVAILABLE

    async def test_what_waits_is_bounded(self, nowhere: str, make_event: MakeEvent) -> None:
        large = [make_event(f"{n}", value=bytes(1000_000)) for n in range(40)]
        async with open_log(nowhere) as log:
            publishing = [log.publisher().publish(large) for _ in range(3)]
            kinds = [error.kind for error in await asyncio.gather(*publishing, return_exceptions=True)]  # type: ignore[union-attr]
        assert sorted(kinds, key=str) == [Kind.RESOURCE_EXHAUSTED, Kind.RESOURCE_EXHAUSTED, Kind.UNAVAILABLE]

    async def test_a_topic_that_was_deleted_is_made_again(
        self, kafka_url: str, make_event: MakeEvent, brokers: tuple[str, str], held: Held
    ) -> None:
        servers, prefix = brokers
        event = make_event("again")
        async with open_log(f"{kafka_url}&timeout_s=1") as log:
            await log.publisher().publish([make_event("first")])
            admin = AdminClient({"bootstrap.servers": servers})
            for gone in admin.delete_topics([f"{prefix}{event.topic}"]).values():
                gone.result(PATIENCE_S)
            while not await held(log, event.topic):
                with contextlib.suppress(SlipwayError):
                    await log.publisher().publish([event])


async def test_a_topic_is_not_made_with_fewer_copies_than_there_are_to_be_brokers(
    brokers: tuple[str, str], topic: str, make_event: MakeEvent
) -> None:
    """A cluster that starts names those that are there so far; a topic made then would stay with one copy for good."""
    servers, prefix = brokers
    away = ",".join(f"127.0.0.1:{free_port()}" for _ in range(2))
    async with open_log(f"kafka://{servers},{away}?prefix={prefix}") as log:
        with pytest.raises(SlipwayError, match="fewer brokers at present") as refused:
            await log.publisher().publish([make_event("1")])
    assert refused.value.kind is Kind.UNAVAILABLE
    assert f"{prefix}{topic}" not in AdminClient({"bootstrap.servers": servers}).list_topics(timeout=PATIENCE_S).topics
