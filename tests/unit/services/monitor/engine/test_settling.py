"""Features that waited for their baseline: whatever fails on the way, all is as had it been there from the start."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.monitor.adapters.sql import MIGRATIONS, SqlWindows
from services.monitor.domain.baseline import Baseline, FeatureBaseline, PerformanceBaseline
from services.monitor.domain.batch import Arm, Batch
from services.monitor.domain.columns import Column
from services.monitor.domain.harm import Limits
from services.monitor.domain.label import LabelBatch
from services.monitor.domain.window import Span
from services.monitor.engine.baselines import Baselines
from services.monitor.engine.counting import Counting
from services.monitor.engine.joining import Joining
from services.monitor.engine.judging import Judging
from services.monitor.engine.learning import Fact, Learning
from services.monitor.engine.settling import Settling
from services.monitor.engine.taking import Taking
from services.monitor.engine.upkeep import Upkeep
from slipway.clock import ManualClock
from slipway.errors import SlipwayError
from slipway.failpoints import arming
from slipway.paging import Page
from slipway.sql import Database, file_url, migrate

DAY_S = 86_400
DAY_US = DAY_S * 1_000_000
ROWS = 20
ALL = Page(500, None)
ARM = Arm("flight-delay", "flights", 3, "main")
FEATURE = FeatureBaseline("delay", 0.8, (0.0, 10.0), (), (10, 80, 10), 0, 0.05)
BASELINE = Baseline("flights", 3, (FEATURE,), PerformanceBaseline(auc=0.9, auc_spread=0.05))
KNOWN = replace(ARM, version=2, route="known")
ELSEWHERE = replace(ARM, endpoint="other")
LEARNED: dict[str, Fact] = {"v3": BASELINE}


@dataclass
class Desk:
    """What a monitor does with events and with what the registry says; one batch a portion."""

    windows: SqlWindows
    meters: Any
    clock: ManualClock = field(default_factory=ManualClock)

    def __post_init__(self) -> None:
        baselines = Baselines()
        judging = Judging(baselines, Limits(min_rows=ROWS), window_s=DAY_S, maturity_s=0)
        self.counting = Counting(
            self.windows, Taking(Joining(DAY_S), baselines, judging, DAY_S), self.clock, self.meters, 3600
        )
        settling = Settling(self.windows, baselines, judging, self.clock, portion=1)
        self.learning = Learning(self.windows, settling, self.clock)
        self.upkeep = Upkeep(self.windows, self.clock, inbox_days=30, join_days=2)

    async def live(self, *days: int, arm: Arm = ARM) -> None:
        """Days that do harm: the score says the contrary of what comes true, and ``delay`` is far off."""
        for day in days:
            at = day * DAY_US
            ids = [f"{arm.endpoint}-{arm.version}-{day}-{row}" for row in range(ROWS)]
            delay = Column(np.full(ROWS, 50.0))
            batch = Batch(f"p-{ids[0]}", arm, ids, [at] * ROWS, [0.4, 0.6] * (ROWS // 2), features={"delay": delay})
            labels = LabelBatch(arm.endpoint, ids, [1.0, 0.0] * (ROWS // 2), [at + 1] * ROWS)
            await self.counting.count([batch], {f"l-{ids[0]}": labels})

    async def know(self) -> None:
        """Hear of the version that event time goes on with, whoever waits."""
        await self.learning.learn({"v2": replace(BASELINE, version=2)})

    async def told(self) -> dict[str, Any]:
        """All that follows from a baseline; of incidents, all but their ids and the clock's time."""
        async with self.windows.read() as reader:
            incidents = [one for _, one in await reader.incidents("", ALL, open_only=False)]
            found = [(one.endpoint, one.version, one.start_us, one.trigger_us, one.causes) for one in incidents]
            return {
                "features": await reader.features(Span(""), None, 500),
                "progress": [await reader.progress(name) for name in ("flight-delay", "other")],
                "incidents": sorted(found),
            }

    async def waits(self) -> bool:
        """Whether features of the version wait that could be counted."""
        async with self.windows.write() as writer:
            return bool(await writer.waiting.known(1))


@asynccontextmanager
async def desk_at(file: Path, meters: Any) -> AsyncIterator[Desk]:
    migrate(file_url(file), MIGRATIONS)
    async with Database.open(file_url(file), MIGRATIONS) as database:
        yield Desk(SqlWindows(database), meters)


@pytest.fixture
def desk(windows: SqlWindows, meters: Any) -> Desk:
    return Desk(windows, meters)


@pytest.fixture
async def expected(tmp_path: Path, meters: Any) -> dict[str, Any]:
    """What a monitor tells that knew the baseline from the start."""
    async with desk_at(tmp_path / "expected.db", meters) as desk:
        await desk.know()
        await desk.learning.learn(LEARNED)
        for day in range(5):
            for arm in (KNOWN, ARM, ELSEWHERE):
                await desk.live(day, arm=arm)
        told = await desk.told()
    at = (0, 2 * DAY_US)
    assert [one[:4] for one in told["incidents"]] == [("flight-delay", n, *at) for n in (2, 3)] + [("other", 3, *at)]
    return told


@pytest.mark.parametrize(
    "failure",
    ["inbox.claim.after=error"]
    + [f"sql.commit.{side}=error@{time}*1" for side in ("before", "after") for time in range(1, 11)],
)
async def test_a_failure_at_any_line_changes_nothing_in_the_end(
    desk: Desk, expected: dict[str, Any], failure: str
) -> None:
    await desk.know()
    await desk.live(0, 1, 2, 3, arm=KNOWN)
    # The latest day is the first to be counted: event time may pass it while those before it wait.
    await desk.live(3, 0, 1, 2)
    await desk.live(0, 1, 2, 3, arm=ELSEWHERE)
    assert {window.version for window, _ in (await desk.told())["features"]} == {2}
    with arming(failure), pytest.raises(SlipwayError):
        await desk.learning.learn(LEARNED)
    # Event time goes on, where it failed while some of the features wait still.
    await desk.live(4, arm=KNOWN)
    await desk.learning.learn(LEARNED)
    for arm in (KNOWN, ARM, ELSEWHERE):
        await desk.live(4, arm=arm)
    assert await desk.told() == expected
    assert not await desk.waits()


async def test_a_version_without_a_baseline_is_not_judged_and_keeps_nothing(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await desk.live(0, 1, 2, 3)
    await desk.learning.learn({"v3": Baseline("flights", 3)})
    assert "flights version 3 has no baseline of its features: it is not judged" in caplog.text
    assert not await desk.waits()
    told = await desk.told()
    assert (told["features"], told["incidents"]) == ([], [])


async def test_features_of_a_version_that_nobody_speaks_of_are_given_up_in_the_end(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    await desk.live(0)
    desk.clock.advance(timedelta(days=1).total_seconds())
    await desk.live(1, 2, 3)
    desk.clock.advance(timedelta(days=1, seconds=1).total_seconds())
    assert await desk.upkeep.give_up() == {("flights", 3): 1}
    assert "nothing of flights version 3: it is not judged; batches in no feature window: 1" in caplog.text
    await desk.learning.learn(LEARNED)
    assert await desk.upkeep.give_up() == {}
    told = await desk.told()
    assert [window.start_us for window, _ in told["features"]] == [DAY_US, 2 * DAY_US, 3 * DAY_US]
