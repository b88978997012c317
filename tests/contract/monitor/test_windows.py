from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.monitor.domain.batch import Arm, Tally
from services.monitor.domain.window import PredictionWindow, Span, VersionCount
from services.monitor.ports import Windows
from slipway.paging import Page

HOUR_US = 3_600_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ARM = Arm("flight-delay", "flights", 3, "main")
CANARY = replace(ARM, version=4, route="canary")
OTHER = Arm("another", "flights", 3, "main")
ALL = Span("")


async def add(windows: Windows, tally: Tally, window_us: int = HOUR_US) -> None:
    async with windows.write() as writer:
        await writer.add(tally, window_us)


async def read(windows: Windows, span: Span = ALL, page: Page = Page(500, None)) -> list[PredictionWindow]:  # noqa: B008
    async with windows.read() as reader:
        return list(await reader.windows(span, page))


async def test_rows_are_added_to_what_their_window_has(windows: Windows) -> None:
    await add(windows, {(ARM, 0): 2, (CANARY, 0): 1})
    await add(windows, {(ARM, 0): 3, (ARM, HOUR_US): 4})
    assert await read(windows) == [
        PredictionWindow(ARM, 0, HOUR_US, 5),
        PredictionWindow(CANARY, 0, HOUR_US, 1),
        PredictionWindow(ARM, HOUR_US, 2 * HOUR_US, 4),
    ]


async def test_nothing_to_add_is_no_error(windows: Windows) -> None:
    await add(windows, {})
    assert await read(windows) == []


async def test_windows_of_another_width_stand_beside(windows: Windows) -> None:
    await add(windows, {(ARM, 0): 2})
    await add(windows, {(ARM, 0): 3}, window_us=60_000_000)
    assert [(one.end_us, one.predictions) for one in await read(windows)] == [(60_000_000, 3), (HOUR_US, 2)]


async def test_a_transaction_that_fails_leaves_neither_claims_nor_counts(windows: Windows) -> None:
    async def fail() -> None:
        async with windows.write() as writer:
            assert await writer.claim(["e1"], EPOCH) == {"e1"}
            await writer.add({(ARM, 0): 2}, HOUR_US)
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        await fail()
    assert await read(windows) == []
    async with windows.write() as writer:
        assert await writer.claim(["e1"], EPOCH) == {"e1"}


async def test_an_id_is_fresh_once_until_it_is_forgotten(windows: Windows) -> None:
    async with windows.write() as writer:
        assert await writer.claim(["e1", "e2"], EPOCH) == {"e1", "e2"}
    later = EPOCH + timedelta(days=1)
    async with windows.write() as writer:
        assert await writer.claim(["e2", "e3"], later) == {"e3"}
        assert await writer.forget(later) == 2
        assert await writer.claim(["e1", "e3"], later) == {"e1"}


async def test_pages_follow_each_other_without_gap_or_repetition(windows: Windows) -> None:
    arms = [replace(ARM, endpoint=endpoint, version=version) for endpoint in ("a", "b") for version in (2, 10)]
    await add(windows, {(arm, start * HOUR_US): 1 for arm in arms for start in (-1, 0, 1)})
    everything = await read(windows)
    assert [one.start_us for one in everything] == sorted(one.start_us for one in everything)
    for position, one in enumerate(everything):
        arm = one.arm
        after = (one.start_us, arm.endpoint, arm.model, arm.version, arm.route, one.end_us)
        assert await read(windows, page=Page(2, after)) == everything[position + 1 : position + 4]


async def test_a_stretch_takes_the_windows_that_start_in_it(windows: Windows) -> None:
    await add(windows, {(ARM, start * HOUR_US): 1 for start in range(5)} | {(OTHER, HOUR_US): 9})
    span = Span(ARM.endpoint, EPOCH + timedelta(hours=1), EPOCH + timedelta(hours=3))
    assert [(one.arm, one.start_us // HOUR_US) for one in await read(windows, span)] == [(ARM, 1), (ARM, 2)]
    beside = replace(span, start_time=EPOCH + timedelta(microseconds=1))
    assert [one.start_us // HOUR_US for one in await read(windows, beside)] == [1, 2]


async def test_counts_are_by_version_over_arms_and_windows(windows: Windows) -> None:
    shadow = replace(ARM, route="shadow")
    await add(windows, {(ARM, 0): 2, (shadow, 0): 3, (ARM, HOUR_US): 4, (CANARY, 0): 1, (OTHER, 0): 9})
    async with windows.read() as reader:
        assert await reader.counts(Span(ARM.endpoint)) == [VersionCount("flights", 3, 9), VersionCount("flights", 4, 1)]
        first = Span(ARM.endpoint, None, EPOCH + timedelta(hours=1))
        assert await reader.counts(first) == [VersionCount("flights", 3, 5), VersionCount("flights", 4, 1)]
        assert await reader.counts(Span("never-seen")) == []
