from __future__ import annotations

import asyncio
from typing import Any

from services.monitor.adapters.sql import SqlWindows
from services.monitor.domain.batch import Arm, Batch
from services.monitor.domain.harm import Limits
from services.monitor.domain.label import LabelBatch, LabelTally
from services.monitor.domain.window import Span
from services.monitor.engine.baselines import Baselines
from services.monitor.engine.counting import Counting
from services.monitor.engine.joining import Joining
from services.monitor.engine.judging import Judging
from services.monitor.engine.taking import Taking
from slipway.clock import ManualClock
from slipway.paging import Page

ARM = Arm("flight-delay", "flights", 3, "main")
HOUR_US = 3_600_000_000


def batch(event_id: str, *times_us: int) -> Batch:
    return Batch(event_id, ARM, [f"{event_id}-{n}" for n in range(len(times_us))], times_us)


def taking_of(window_s: int) -> Taking:
    baselines = Baselines()
    judging = Judging(baselines, Limits(), window_s=window_s, maturity_s=0)
    return Taking(Joining(window_s), baselines, judging, window_s)


async def found(windows: SqlWindows) -> dict[int, int]:
    async with windows.read() as reader:
        return {one.start_us: one.predictions for one in await reader.windows(Span(""), Page(500, None))}


async def test_a_batch_counts_once_however_often_it_is_given(windows: SqlWindows, meters: Any) -> None:
    counting = Counting(windows, taking_of(3600), ManualClock(), meters, window_s=3600)
    assert await counting.count([batch("e1", 0, 1), batch("e2", HOUR_US)]) == 3
    assert await counting.count([batch("e2", HOUR_US), batch("e3", 5), batch("e1", 0, 1)]) == 1
    assert await found(windows) == {0: 3, HOUR_US: 1}
    assert meters.predictions == 4


async def test_a_batch_that_is_given_twice_at_once_counts_once(windows: SqlWindows, meters: Any) -> None:
    counting = Counting(windows, taking_of(3600), ManualClock(), meters, window_s=3600)
    assert await counting.count([batch("e1", 0), batch("e1", 0)]) == 1
    assert await counting.count([]) == 0
    assert await found(windows) == {0: 1}


async def test_counts_that_come_at_the_same_time_are_all_kept(windows: SqlWindows, meters: Any) -> None:
    counting = Counting(windows, taking_of(3600), ManualClock(), meters, window_s=3600)
    await asyncio.gather(*(counting.count([batch(f"e{number % 10}", 0)]) for number in range(40)))
    assert await found(windows) == {0: 10}


async def test_many_rows_are_counted_and_joined_in_portions(windows: SqlWindows, meters: Any) -> None:
    counting = Counting(windows, taking_of(3600), ManualClock(), meters, window_s=3600)
    rows = 6_000
    batches = [batch(f"e{number}", *[0] * rows) for number in range(3)]
    labels = {
        f"l{number}": LabelBatch(ARM.endpoint, one.prediction_ids, [1.0] * rows, [9] * rows)
        for number, one in enumerate(batches)
    }
    assert await counting.count(batches, labels) == 3 * rows
    assert await counting.count(batches, labels) == 0
    assert meters.labels == LabelTally(recorded=3 * rows, joined=3 * rows)
    async with windows.read() as reader:
        (coverage,) = await reader.coverage(Span(""))
    assert (coverage.predictions, coverage.joined) == (3 * rows, 3 * rows)
