from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from services.monitor.domain.baseline import Baseline
from services.monitor.domain.batch import Arm, Batch
from services.monitor.domain.columns import Column
from services.monitor.ports import Windows

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ARM = Arm("e", "m", 1, "main")
WIDTH_US = 100
FEATURES = {"carrier": Column(["UA", None, ""]), "delay": Column(np.array([1.5, np.nan, -3.0]))}
BATCH = Batch("b1", ARM, ["x", "y", "z"], [1, 2, 3], [0.5, 0.5, 0.5], features=FEATURES)
OTHERS = [
    replace(BATCH, event_id="b2", arm=replace(ARM, endpoint="f")),
    replace(BATCH, event_id="b3", arm=replace(ARM, version=2)),
]


def told(found: Mapping[int, Sequence[Batch]]) -> dict[int, list[tuple[str, Arm]]]:
    return {width: [(one.event_id, one.arm) for one in some] for width, some in found.items()}


async def test_what_waits_comes_back_with_its_features_once_its_baseline_is_known(windows: Windows) -> None:
    async with windows.write() as writer:
        await writer.waiting.keep([BATCH, *OTHERS], WIDTH_US, NOW)
        await writer.waiting.keep([], WIDTH_US, NOW)
        assert (await writer.waiting.known(9), await writer.waiting.unsettled("e")) == ({}, frozenset())
        await writer.registered.keep_baseline(Baseline("m", 1))
    async with windows.write() as writer:
        assert await writer.waiting.unsettled("e") == await writer.waiting.unsettled("f") == {("m", 1)}
        found = await writer.waiting.known(9)
        assert told(found) == {WIDTH_US: [("b1", ARM), ("b2", OTHERS[0].arm)]}
        first = found[WIDTH_US][0]
        assert (list(first.event_times_us), first.features["carrier"]) == ([1, 2, 3], FEATURES["carrier"])
        np.testing.assert_array_equal(first.features["delay"].values, FEATURES["delay"].values)
        assert [len(some) for some in (await writer.waiting.known(1)).values()] == [1]


async def test_windows_keep_the_width_that_they_were_kept_with(windows: Windows) -> None:
    async with windows.write() as writer:
        await writer.registered.keep_baseline(Baseline("m", 1))
        await writer.waiting.keep([BATCH], WIDTH_US, NOW)
        await writer.waiting.keep([replace(BATCH, event_id="wide")], 2 * WIDTH_US, NOW)
        assert told(await writer.waiting.known(9)) == {WIDTH_US: [("b1", ARM)], 2 * WIDTH_US: [("wide", ARM)]}


async def test_what_was_counted_is_dropped_and_the_rest_goes_on_waiting(windows: Windows) -> None:
    async with windows.write() as writer:
        await writer.waiting.keep([BATCH, *OTHERS], WIDTH_US, NOW)
        await writer.registered.keep_baseline(Baseline("m", 1))
        await writer.waiting.drop(["b1"])
        assert (await writer.waiting.unsettled("e"), await writer.waiting.unsettled("f")) == (set(), {("m", 1)})
        await writer.waiting.drop(["b2", "never"])
        assert await writer.waiting.known(9) == {}
        await writer.registered.keep_baseline(Baseline("m", 2))
        assert told(await writer.waiting.known(9)) == {WIDTH_US: [("b3", OTHERS[1].arm)]}


async def test_only_what_is_old_and_has_no_baseline_is_given_up(windows: Windows) -> None:
    second = timedelta(seconds=1)
    async with windows.write() as writer:
        await writer.waiting.keep([BATCH, *OTHERS], WIDTH_US, NOW)
        await writer.waiting.keep([replace(OTHERS[1], event_id="young")], WIDTH_US, NOW + second)
        await writer.registered.keep_baseline(Baseline("m", 1))
        assert await writer.waiting.prune(NOW) == {}
        assert await writer.waiting.prune(NOW + second) == {("m", 2): 1}
        await writer.registered.keep_baseline(Baseline("m", 2))
        await writer.waiting.drop(["b1", "b2"])
        assert told(await writer.waiting.known(9)) == {WIDTH_US: [("young", OTHERS[1].arm)]}
