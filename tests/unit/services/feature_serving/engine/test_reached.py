from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.feature_serving.adapters.sql import MIGRATIONS
from services.feature_serving.adapters.watermarks import SqlWatermarks
from services.feature_serving.domain.watermark import Watermark
from services.feature_serving.engine.reached import Reached
from slipway.clock import ManualClock, SystemClock
from slipway.sql import Database, file_url, migrate

NOW = datetime(2013, 1, 1, tzinfo=UTC)


@pytest.fixture
async def watermarks(tmp_path: Path) -> AsyncIterator[SqlWatermarks]:
    url = file_url(tmp_path / "features.db")
    migrate(url, MIGRATIONS)
    async with Database.open(url, MIGRATIONS) as database:
        yield SqlWatermarks(database)


async def test_what_this_process_reached_wakes_who_waits(watermarks: SqlWatermarks) -> None:
    reached = Reached(watermarks, ManualClock())
    waits = asyncio.create_task(reached.passed(["a", "b"], 10, 60.0))
    reached.note({"a": 10})
    reached.note({"b": 11})
    assert await asyncio.wait_for(waits, 10)


async def test_what_another_process_reached_is_seen(watermarks: SqlWatermarks) -> None:
    reached = Reached(watermarks, SystemClock())
    waits = asyncio.create_task(reached.passed(["a"], 10, 60.0))
    await watermarks.raise_to([Watermark("a", 10, NOW)])
    assert await asyncio.wait_for(waits, 10)


async def test_patience_ends(watermarks: SqlWatermarks) -> None:
    await watermarks.raise_to([Watermark("a", 9, NOW)])
    reached = Reached(watermarks, SystemClock())
    assert not await reached.passed(["a"], 10, 0.01)
    assert await reached.passed(["a"], 9, 0.0)


async def test_another_process_is_asked_again_before_patience_ends(watermarks: SqlWatermarks) -> None:
    await watermarks.raise_to([Watermark("a", 9, NOW)])
    reached = Reached(watermarks, ManualClock())
    assert not await reached.passed(["a", "none"], 9, 0.0)
    await watermarks.raise_to([Watermark("a", 10, NOW), Watermark("none", 10, NOW)])
    assert await reached.passed(["a", "none"], 10, 0.0)


async def test_ages_end_at_the_last_boundary(watermarks: SqlWatermarks) -> None:
    await watermarks.raise_to([Watermark("a", 25, NOW)])
    clock = ManualClock()
    reached = Reached(watermarks, clock)
    assert await reached.boundaries([("a", 10), ("none", 10)]) == {"a": 20, "none": 0}
    await watermarks.raise_to([Watermark("a", 30, NOW)])
    assert await reached.boundaries([("a", 10)]) == {"a": 20}
    clock.advance(1)
    assert await reached.boundaries([("a", 10)]) == {"a": 30}
