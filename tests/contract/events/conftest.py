"""The adapters that the suite runs on. A new one adds its name here and a place for each test."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from slipway.events import Event, EventLog
from slipway.events.connect import open_log

MakeEvent = Callable[..., Event]


@pytest.fixture(params=["sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A log of its own; child processes open it by the same URL."""
    assert request.param == "sqlite"
    return f"sqlite:///{tmp_path / 'events' / 'log.db'}"


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
