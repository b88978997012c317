"""The adapters that the suite runs on. A new one adds its name here and a place for each test."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from slipway.events import Event, EventLog, Record
from slipway.events.connect import open_log

MakeEvent = Callable[..., Event]


@dataclass(frozen=True)
class Adapter:
    """How an adapter differs where the port leaves it free."""

    name: str
    # A repeated id is dropped by the log itself; else by the inbox of who reads.
    drops_repeats: bool
    # A poll takes turns between topics, rather than as they were fetched.
    takes_turns: bool


ADAPTERS = {one.name: one for one in (Adapter("sqlite", True, True), Adapter("kafka", False, False))}


@pytest.fixture(params=ADAPTERS)
def adapter(request: pytest.FixtureRequest) -> Adapter:
    return ADAPTERS[request.param]


@pytest.fixture
def url(adapter: Adapter, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A log of its own; child processes open it by the same URL."""
    if adapter.name == "kafka":
        return str(request.getfixturevalue("kafka_url"))
    return f"sqlite:///{tmp_path / 'events' / 'log.db'}"


@pytest.fixture
def held() -> Callable[[EventLog, str], object]:
    """All that a topic holds, partition by partition."""

    async def held(log: EventLog, topic: str) -> Sequence[Record]:
        places = await log.topics([topic])
        return [one for info in places for one in await log.read(topic, partition=info.partition, limit=10_000)]

    return held


@pytest.fixture
def topic() -> str:
    """A topic that no other test uses, for logs that outlive a test."""
    return f"test.{uuid.uuid4().hex}.v1"


@pytest.fixture
async def log(url: str) -> AsyncIterator[EventLog]:
    async with open_log(url) as log:
        yield log


@pytest.fixture
def make_event(topic: str) -> MakeEvent:
    def make(name: str, key: str = "k", value: bytes = b"v", **changes: object) -> Event:
        given: dict[str, object] = {
            "id": name,
            "topic": topic,
            "key": key,
            "type": "test.happened.v1",
            "source": "/test",
            "time": datetime(2013, 1, 1, 5, 15, 0, 250, tzinfo=UTC),
            "value": value,
        }
        return Event(**{**given, **changes})  # type: ignore[arg-type]

    return make
