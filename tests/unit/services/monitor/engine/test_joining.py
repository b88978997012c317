from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.monitor.adapters.sql import MIGRATIONS, SqlWindows
from services.monitor.domain.batch import Arm, Batch
from services.monitor.domain.coverage import Coverage
from services.monitor.domain.harm import Limits
from services.monitor.domain.label import Label, LabelBatch, LabelTally
from services.monitor.domain.performance import Pair, Sums, WindowKey, joined_sums
from services.monitor.domain.window import Span
from services.monitor.engine.baselines import Baselines
from services.monitor.engine.counting import Counting
from services.monitor.engine.joining import Joining
from services.monitor.engine.judging import Judging
from services.monitor.engine.labelling import Labelling
from services.monitor.engine.taking import Taking
from services.monitor.engine.upkeep import Upkeep
from slipway.clock import ManualClock
from slipway.errors import InvalidInput
from slipway.paging import Page
from slipway.sql import Database, file_url, migrate

DAY_S = 86_400
DAY_US = DAY_S * 1_000_000
ARM = Arm("flight-delay", "flights", 3, "main")
SHADOW = replace(ARM, version=4, route="shadow")


def batch(event_id: str, *rows: tuple[str, int, float], arm: Arm = ARM) -> Batch:
    return Batch(event_id, arm, *([row[at] for row in rows] for at in range(3)))


def labels(*rows: tuple[str, float, int], endpoint: str = ARM.endpoint) -> LabelBatch:
    return LabelBatch(endpoint, *([row[at] for row in rows] for at in range(3)))


def taking_of(window_s: int) -> Taking:
    baselines = Baselines()
    judging = Judging(baselines, Limits(), window_s=window_s, maturity_s=0)
    return Taking(Joining(window_s), baselines, judging, window_s)


@dataclass
class Desk:
    """What a monitor does with events and calls, on a real database."""

    windows: SqlWindows
    meters: Any
    clock: ManualClock = field(default_factory=ManualClock)

    def __post_init__(self) -> None:
        taking = taking_of(DAY_S)
        self.counting = Counting(self.windows, taking, self.clock, self.meters, 3600)
        self.labelling = Labelling(self.windows, taking, self.clock, self.meters)
        self.upkeep = Upkeep(self.windows, self.clock, inbox_days=30, join_days=2)

    async def sums(self, endpoint: str = ARM.endpoint) -> dict[WindowKey, Sums]:
        async with self.windows.read() as reader:
            return {one.key: one.sums for one in await reader.performance(Span(endpoint), Page(500, None))}

    async def coverage(self, endpoint: str = ARM.endpoint) -> Coverage:
        async with self.windows.read() as reader:
            (found,) = await reader.coverage(Span(endpoint))
        return found


@pytest.fixture
def desk(windows: SqlWindows, meters: Any) -> Desk:
    return Desk(windows, meters)


KEY = WindowKey(ARM, 0, DAY_US)
LATE = Pair(0.75, 5, Label(1.0, 90))


@pytest.mark.parametrize("order", list(itertools.permutations(["prediction", "label"])))
async def test_whichever_comes_first_they_join_once(desk: Desk, order: tuple[str, ...]) -> None:
    for _ in range(2):
        for what in order:
            if what == "prediction":
                await desk.counting.count([batch("e1", ("a", 5, 0.75))])
            else:
                await desk.counting.count([], {"l1": labels(("a", 1.0, 90))})
    assert await desk.sums() == {KEY: joined_sums([LATE]) + Sums(predictions=1)}
    assert await desk.coverage() == Coverage(ARM.endpoint, 1, 1, 90, LabelTally(recorded=1, joined=1))
    assert desk.meters.labels == LabelTally(recorded=1, joined=1)


async def test_both_in_one_delivery_join(desk: Desk) -> None:
    await desk.counting.count([batch("e1", ("a", 5, 0.75))], {"l1": labels(("a", 1.0, 90))})
    assert await desk.sums() == {KEY: joined_sums([LATE]) + Sums(predictions=1)}


async def test_the_same_label_in_another_event_or_call_changes_nothing(desk: Desk) -> None:
    await desk.counting.count([batch("e1", ("a", 5, 0.75))], {"l1": labels(("a", 1.0, 90))})
    before = await desk.sums()
    await desk.counting.count([], {"l2": labels(("a", 1.0, 90))})
    assert await desk.labelling.record(labels(("a", 1.0, 90))) == LabelTally(repeated=1)
    assert await desk.sums() == before
    assert (await desk.coverage()).labels == LabelTally(recorded=1, joined=1, repeated=2)


async def test_a_correction_takes_the_old_label_s_place_and_an_older_one_does_not(desk: Desk) -> None:
    await desk.counting.count([batch("e1", ("a", 5, 0.75))], {"l1": labels(("a", 1.0, 90))})
    assert await desk.labelling.record(labels(("a", 0.0, 91))) == LabelTally(corrected=1)
    assert await desk.labelling.record(labels(("a", 1.0, 91))) == LabelTally(ignored=1)
    assert await desk.sums() == {KEY: joined_sums([Pair(0.75, 5, Label(0.0, 91))]) + Sums(predictions=1)}


async def test_a_label_belongs_to_every_arm_that_answered_under_its_id(desk: Desk) -> None:
    await desk.counting.count([batch("e1", ("a", 5, 0.75))], {"l1": labels(("a", 1.0, 90))})
    await desk.counting.count([batch("e2", ("a", 5, 0.25), arm=SHADOW)])
    shadow = joined_sums([Pair(0.25, 5, Label(1.0, 90))]) + Sums(predictions=1)
    assert await desk.sums() == {
        KEY: joined_sums([LATE]) + Sums(predictions=1),
        WindowKey(SHADOW, 0, DAY_US): shadow,
    }
    assert (await desk.coverage()).labels == LabelTally(recorded=1, joined=1)


async def test_a_label_that_waited_for_two_arms_is_one_label(desk: Desk) -> None:
    await desk.counting.count([], {"l1": labels(("a", 1.0, 90))})
    assert (await desk.coverage()).labels.waiting == 1
    await desk.counting.count([batch("e1", ("a", 5, 0.75))])
    await desk.counting.count([batch("e2", ("a", 5, 0.25), arm=SHADOW)])
    assert await desk.coverage() == Coverage(ARM.endpoint, 2, 2, 90, LabelTally(recorded=1, joined=1))


async def test_ids_of_another_endpoint_are_others(desk: Desk) -> None:
    await desk.counting.count([batch("e1", ("a", 5, 0.75))], {"l1": labels(("a", 1.0, 90), endpoint="other")})
    assert (await desk.coverage()).joined == 0
    assert await desk.coverage("other") == Coverage("other", labels=LabelTally(recorded=1))


async def test_a_row_that_is_there_twice_is_one_prediction(desk: Desk) -> None:
    await desk.counting.count([batch("e1", ("a", 5, 0.75), ("a", 6, 0.5)), batch("e2", ("a", 7, 0.1))])
    assert await desk.sums() == {KEY: Sums(predictions=1)}


async def test_a_changed_width_corrects_the_window_that_was_counted(windows: SqlWindows, meters: Any) -> None:
    desk = Desk(windows, meters)
    await desk.counting.count([batch("e1", ("a", 5, 0.75))], {"l1": labels(("a", 1.0, 90))})
    wider = Labelling(windows, taking_of(7 * DAY_S), desk.clock, meters)
    await wider.record(labels(("a", 0.0, 91)))
    assert await desk.sums() == {KEY: joined_sums([Pair(0.75, 5, Label(0.0, 91))]) + Sums(predictions=1)}


async def test_bad_labels_are_refused_as_a_whole(desk: Desk) -> None:
    with pytest.raises(InvalidInput, match=r"values\[1\]"):
        await desk.labelling.record(labels(("a", 1.0, 90), ("b", float("nan"), 90)))
    async with desk.windows.read() as reader:
        assert await reader.coverage(Span("")) == []


async def test_what_waits_too_long_is_dropped_and_counted(desk: Desk) -> None:
    await desk.counting.count([batch("e1", ("a", 5, 0.75))], {"l1": labels(("a", 1.0, 90), ("b", 1.0, 90))})
    before = await desk.sums()
    assert await desk.upkeep.prune() == {}
    desk.clock.advance(2 * DAY_S + 1)
    await desk.counting.count([batch("e2", ("c", 5, 0.75))])
    assert await desk.upkeep.prune() == {ARM.endpoint: 1}
    assert await desk.upkeep.prune() == {}
    assert (await desk.coverage()).labels == LabelTally(recorded=2, joined=1, expired=1)
    assert await desk.sums() == {key: sums + Sums(predictions=1) for key, sums in before.items()}
    # Its time is over: it waits again, for nothing.
    assert await desk.labelling.record(labels(("a", 0.0, 91))) == LabelTally(recorded=1)
    assert (await desk.coverage()).labels.waiting == 1


async def test_a_correction_after_its_prediction_was_forgotten_is_ignored(desk: Desk) -> None:
    await desk.counting.count([batch("e1", ("a", 5, 0.75))])
    desk.clock.advance(2 * DAY_S)
    await desk.labelling.record(labels(("a", 1.0, 90)))
    before = await desk.sums()
    desk.clock.advance(1)
    await desk.upkeep.prune()
    assert await desk.labelling.record(labels(("a", 0.0, 91))) == LabelTally(ignored=1)
    assert await desk.sums() == before


async def test_a_label_stays_as_long_as_a_prediction_that_it_was_joined_to(desk: Desk) -> None:
    await desk.labelling.record(labels(("a", 1.0, 90)))
    desk.clock.advance(2 * DAY_S)
    await desk.counting.count([batch("e1", ("a", 5, 0.75))])
    desk.clock.advance(1)
    assert await desk.upkeep.prune() == {}
    assert await desk.labelling.record(labels(("a", 1.0, 90))) == LabelTally(repeated=1)
    assert (await desk.coverage()).joined == 1


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def shared(runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlWindows]:
    url = file_url(Path(tmp_path_factory.mktemp("joining")) / "monitor.db")
    migrate(url, MIGRATIONS)
    opening = Database.open(url, MIGRATIONS)
    yield SqlWindows(runner.run(opening.__aenter__()))
    runner.run(opening.__aexit__(None, None, None))


_names = itertools.count()
_ids = st.sampled_from("abcd")
_predicted = st.lists(st.tuples(_ids, st.integers(-DAY_US, DAY_US), st.sampled_from([0.1, 0.5, 2.0])), max_size=4)
_labelled = st.lists(st.tuples(_ids, st.sampled_from([0.0, 1.0, 7.0]), st.integers(0, 3)), max_size=4)
_steps = st.lists(st.one_of(_predicted.map(lambda it: ("p", it)), _labelled.map(lambda it: ("l", it))), max_size=8)


def expected(endpoint: str, steps: list[tuple[str, Any]]) -> dict[WindowKey, Sums]:
    """What windows must hold: the first row of each id, the first of each id's latest labels, and nothing twice."""
    arm = replace(ARM, endpoint=endpoint)
    rows: dict[str, tuple[int, float]] = {}
    truth: dict[str, Label] = {}
    for what, given_rows in steps:
        for one, first, second in given_rows:
            if what == "p":
                rows.setdefault(one, (first, second))
            elif one not in truth or second > truth[one].time_us:
                truth[one] = Label(first, second)
    made: dict[WindowKey, Sums] = {}
    for one, (event_us, score) in rows.items():
        start = event_us // DAY_US * DAY_US
        sums = Sums(predictions=1)
        if one in truth:
            sums += joined_sums([Pair(score, event_us, truth[one])])
        key = WindowKey(arm, start, start + DAY_US)
        made[key] = made.get(key, Sums()) + sums
    return made


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(steps=_steps, again=st.lists(st.integers(0, 7), max_size=6), size=st.integers(1, 4))
def test_windows_hold_what_a_naive_reading_of_all_events_gives(
    runner: asyncio.Runner, shared: SqlWindows, meters: Any, steps: list[Any], again: list[int], size: int
) -> None:
    endpoint = f"e{next(_names)}"
    arm = replace(ARM, endpoint=endpoint)
    desk = Desk(shared, meters)
    # An event comes again only after it came: a log repeats from where it was committed.
    deliveries = [*range(len(steps)), *(number for number in again if number < len(steps))]

    async def deliver() -> dict[WindowKey, Sums]:
        for at in range(0, len(deliveries), size):
            some = [(f"{endpoint}-{number}", *steps[number]) for number in deliveries[at : at + size]]
            batches = [batch(event_id, *rows, arm=arm) for event_id, what, rows in some if what == "p"]
            told = {event_id: labels(*rows, endpoint=endpoint) for event_id, what, rows in some if what == "l"}
            await desk.counting.count(batches, told)
        return await desk.sums(endpoint)

    assert runner.run(deliver()) == expected(endpoint, steps)
