from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from services.monitor.adapters.dead_letters import LogDeadLetters
from services.monitor.domain.dead_letter import DeadLetter
from services.monitor.ports import DeadLetters
from slipway.events import Event, EventLog, dead_letter_topic
from slipway.events.connect import open_log

TOPIC, GROUP = "inference.predictions.v1", "monitor"
NOON = datetime(2013, 6, 1, 12, tzinfo=UTC)


def event(event_id: str, value: bytes, topic: str = TOPIC, **headers: str) -> Event:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Event(event_id, topic, "late", "t", "/gateway", NOON, value, named)


async def test_what_was_set_aside_is_read_with_its_place_and_the_reason(log: EventLog, letters: DeadLetters) -> None:
    await log.publisher().publish([event("good", b""), event("junk", b"\xff\0", traceparent="00-a")])
    async with log.consumer([TOPIC], GROUP) as consumer:
        _, junk = await consumer.poll(10, 5)
        await consumer.dead_letter(junk, "no batch")
    assert await letters.read(0, 10) == [
        DeadLetter(0, "junk", TOPIC, junk.partition, junk.offset, "late", NOON, "no batch", 2, b"\xff\0")
    ]


async def test_letters_are_read_from_a_position_on(log: EventLog, letters: DeadLetters) -> None:
    assert await letters.read(0, 10) == []
    topic = dead_letter_topic(TOPIC, GROUP)
    await log.publisher().publish([event(f"e{n}", b"", topic) for n in range(5)])
    first = await letters.read(0, 2)
    assert [one.event_id for one in first] == ["e0", "e1"]
    rest = await letters.read(first[-1].position + 1, 10)
    assert [one.event_id for one in rest] == ["e2", "e3", "e4"]
    assert await letters.read(rest[-1].position + 1, 10) == []


@pytest.mark.parametrize("text", ["", "-1", "x", "1.0", "²", "9" * 5_000, str(2**63)])
async def test_what_somebody_put_there_by_hand_is_shown_as_far_as_it_says(
    log: EventLog, letters: DeadLetters, text: str
) -> None:
    topic = dead_letter_topic(TOPIC, GROUP)
    await log.publisher().publish([event("bare", b"", topic), event("odd", b"", topic, dlq_offset=text)])
    for letter in await letters.read(0, 10):
        assert (letter.topic, letter.partition, letter.offset, letter.error) == ("", None, None, "")


async def test_letters_of_labels_follow_those_of_predictions(log: EventLog, letters: DeadLetters) -> None:
    labels = dead_letter_topic("monitor.labels.v1", GROUP)
    predictions = dead_letter_topic(TOPIC, GROUP)
    await log.publisher().publish([event(f"l{n}", b"", labels) for n in range(3)])
    await log.publisher().publish([event(f"p{n}", b"", predictions) for n in range(3)])
    everything = await letters.read(0, 10)
    assert [one.event_id for one in everything] == ["p0", "p1", "p2", "l0", "l1", "l2"]
    for position, one in enumerate(everything):
        assert await letters.read(one.position, 2) == everything[position : position + 2]
        assert await letters.read(one.position + 1, 10) == everything[position + 1 :]


async def test_letters_of_several_partitions_are_paged_without_a_gap(kafka_url: str) -> None:
    dead = [dead_letter_topic(topic, GROUP) for topic in (TOPIC, "monitor.labels.v1")]
    servers, prefix = kafka_url.removeprefix("kafka://").split("?prefix=")
    topics = [NewTopic(f"{prefix}{name}", 3, 1) for name in dead]
    admin = AdminClient({"bootstrap.servers": servers})
    for made in admin.create_topics(topics).values():
        made.result(30)
    sent = [replace(event(f"{topic}{n}", b"", topic), key=str(n)) for topic in dead for n in range(20)]
    async with open_log(kafka_url) as log:
        await log.publisher().publish(sent)
        letters = LogDeadLetters(log, *dead)
        everything = await letters.read(0, 100)
        assert sorted(one.event_id for one in everything) == sorted(one.id for one in sent)
        seen: list[DeadLetter] = []
        while page := await letters.read(seen[-1].position + 1 if seen else 0, 7):
            seen += page
        assert seen == everything
