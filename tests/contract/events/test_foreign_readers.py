"""Readers that know nothing of us, Kafka's console consumer and kcat, on every topic of the platform."""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
import pytest_asyncio
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from scripts.toolchain.topics import topics
from scripts.toolchain.tree import ROOT
from slipway.events import Event, dead_letter_topic
from slipway.events.connect import open_log

PATIENCE_S = 60.0
TOPICS = topics(ROOT)
SET_ASIDE = "features.rows.v1"
LETTERS = dead_letter_topic(SET_ASIDE, "reader")
WHY = "no rows: give some"


@dataclass(frozen=True)
class Published:
    """One event on each topic and one dead letter, on brokers where the topics' names begin with ``prefix``."""

    servers: str
    prefix: str
    events: dict[str, Event]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def published(kafka_servers: str) -> AsyncIterator[Published]:
    prefix = f"{uuid.uuid4().hex[:12]}."
    events = {topic: an_event(topic, name) for topic, name in TOPICS.items()}
    async with open_log(f"kafka://{kafka_servers}?prefix={prefix}") as log:
        await log.publisher().publish(list(events.values()))
        async with log.consumer([SET_ASIDE], "reader") as consumer:
            [record] = await consumer.poll(1, PATIENCE_S)
            await consumer.dead_letter(record, WHY)
    yield Published(kafka_servers, prefix, {**events, LETTERS: events[SET_ASIDE]})


def an_event(topic: str, message: str) -> Event:
    package, _, name = message.rpartition(".")
    value = getattr(importlib.import_module(f"slipway.gen.{package}.events_pb2"), name)()
    fill(value)
    return Event(f"event of {topic}", topic, f"key of {topic}", message, "/test", NOW, value.SerializeToString())


NOW = datetime(2013, 1, 1, 5, 15, tzinfo=UTC)
DEEP = 4


def fill(message: Message, depth: int = 0) -> None:
    """Set every field, as deep as a reader is likely to look."""
    for field in message.DESCRIPTOR.fields:
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            if depth < DEEP and not field.message_type.GetOptions().map_entry:
                part = getattr(message, field.name)
                part = part.add() if field.is_repeated else part
                part.SetInParent()
                fill(part, depth + 1)
        elif field.is_repeated:
            getattr(message, field.name).extend([given(field)] * 2)
        else:
            setattr(message, field.name, given(field))


def given(field: FieldDescriptor) -> object:
    named = {FieldDescriptor.TYPE_STRING: "ein Wörtchen\n", FieldDescriptor.TYPE_BYTES: bytes(range(256))}
    return named.get(field.type, 1)


def test_the_console_consumer_reads_every_topic(published: Published) -> None:
    command = [sys.executable, "-m", "slipway.stack", "kafka", "console-consumer", "--from-beginning"]
    command += ["--include", re.escape(published.prefix) + ".*", "--max-messages", str(len(published.events))]
    command += ["--timeout-ms", str(int(PATIENCE_S * 1000)), "--property", "print.key=true"]
    command += ["--property", "print.headers=true"]
    command += ["--value-deserializer", "org.apache.kafka.common.serialization.BytesDeserializer"]
    done = subprocess.run(command, env=env(published), capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr
    seen = {}
    for line in done.stdout.splitlines():
        headers, key, value = line.split("\t")
        told = dict(one.split(":", 1) for one in headers.split(","))
        topic = f"{told['dlq-topic']}.{told['dlq-group']}.dlq" if "dlq-topic" in told else key.removeprefix("key of ")
        seen[topic] = Event(
            *(told["ce_id"], key.removeprefix("key of "), key, told["ce_type"], told["ce_source"]),
            datetime.fromisoformat(told["ce_time"]),
            re.sub(rb"\\x([0-9A-F]{2})", lambda found: bytes.fromhex(found[1].decode()), value.encode()),
        )
    assert seen == published.events


def test_kcat_reads_every_topic(published: Published) -> None:
    if shutil.which("kcat") is None:
        told = "kcat is missing: run scripts/stack install"
        pytest.fail(told) if os.environ.get("CI") == "true" else pytest.skip(told)
    for topic, event in published.events.items():
        command = ["kcat", "-C", "-q", "-e", "-X", "fetch.wait.max.ms=20"]
        command += ["-b", published.servers, "-t", f"{published.prefix}{topic}"]
        done = subprocess.run([*command, "-f", r"%k\n%h\n%s"], capture_output=True, check=True, timeout=PATIENCE_S)
        key, headers, value = done.stdout.split(b"\n", 2)
        told = dict(one.split("=", 1) for one in headers.decode().split(","))
        assert (told["ce_id"], key.decode(), value) == (event.id, event.key, event.value)
        assert (told["ce_type"], told["content-type"]) == (event.type, "application/protobuf")
        assert told.get("dlq-error") == (WHY if topic == LETTERS else None)


def env(published: Published) -> dict[str, str]:
    return {**os.environ, "SLIPWAY_KAFKA": published.servers}
