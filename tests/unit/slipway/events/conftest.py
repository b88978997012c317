from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from slipway.events import Event


@pytest.fixture
def make_event() -> Callable[..., Event]:
    def make(name: str = "1", **changes: object) -> Event:
        given: dict[str, object] = {
            "id": name,
            "topic": "test.things.v1",
            "key": "k",
            "type": "test.happened.v1",
            "source": "/test",
            "time": datetime(2013, 1, 1, 5, 15, tzinfo=UTC),
            "value": b"v",
        }
        return Event(**{**given, **changes})  # type: ignore[arg-type]

    return make
