from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.monitor.domain.batch import Arm
from services.monitor.domain.coverage import Coverage
from services.monitor.domain.figures import PerformanceWindow
from services.monitor.domain.label import KeptLabel, Label, LabelTally
from services.monitor.domain.performance import Sums, WindowKey
from services.monitor.domain.prediction import Prediction
from services.monitor.domain.window import Span
from services.monitor.ports import Windows
from slipway.paging import Page

DAY_US = 86_400_000_000
NOW = datetime(2026, 1, 1, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ARM = Arm("flight-delay", "flights", 3, "main")
ROW = Prediction("a", ARM, 5, 0.1, DAY_US)
LABEL = KeptLabel(Label(1.0, 90), "tower", joined=True)
KEY = ROW.key
HUGE = Sums(
    predictions=2,
    joined=1,
    delay_us=-(10**20),
    newest_label_us=-5,
    log_loss=7,
    brier=8,
    measured=1,
    absolute=10**110,
    squared=10**220 + 1,
    bins={0: 1, 1023: 2},
)


async def test_predictions_are_found_by_id_with_every_arm_that_answered(windows: Windows) -> None:
    shadow = replace(ROW, arm=replace(ARM, version=4, route="shadow"), score=None)
    rows = [ROW, shadow, replace(ROW, prediction_id="b", event_us=-7)]
    elsewhere = replace(ROW, arm=replace(ARM, endpoint="other"))
    async with windows.write() as writer:
        await writer.joins.keep_predictions([*rows, elsewhere], NOW)
        await writer.joins.keep_predictions([], NOW)
    async with windows.write() as writer:
        found = await writer.joins.predictions(ARM.endpoint, ["a", "b", "never"])
        assert sorted(found, key=str) == sorted(rows, key=str)
        assert await writer.joins.predictions("other", ["a"]) == [elsewhere]
        assert await writer.joins.predictions(ARM.endpoint, []) == []


async def test_more_ids_than_a_statement_takes_are_all_found(windows: Windows) -> None:
    ids = [f"p{number}" for number in range(2_500)]
    async with windows.write() as writer:
        await writer.joins.keep_predictions([replace(ROW, prediction_id=one) for one in ids], NOW)
        assert len(await writer.joins.predictions(ARM.endpoint, ids)) == len(ids)


async def test_a_label_takes_the_place_of_the_one_before(windows: Windows) -> None:
    async with windows.write() as writer:
        await writer.joins.keep_labels(ARM.endpoint, {"a": replace(LABEL, joined=False), "b": LABEL}, NOW)
        await writer.joins.keep_labels(ARM.endpoint, {"a": LABEL}, NOW)
        await writer.joins.keep_labels(ARM.endpoint, {}, NOW)
    async with windows.write() as writer:
        assert await writer.joins.labels(ARM.endpoint, ["a", "b", "c"]) == {"a": LABEL, "b": LABEL}
        assert await writer.joins.labels("other", ["a"]) == {}


async def test_sums_are_added_to_the_digit_and_taken_out_again(windows: Windows) -> None:
    async with windows.write() as writer:
        await writer.joins.add_sums({KEY: HUGE})
        await writer.joins.add_sums({KEY: HUGE})
        await writer.joins.add_sums({KEY: -HUGE})
        await writer.joins.add_sums({})
    async with windows.read() as reader:
        assert await reader.performance(Span(""), Page(500, None)) == [PerformanceWindow(KEY, HUGE)]


async def test_pages_of_performance_follow_each_other(windows: Windows) -> None:
    keys = [
        WindowKey(replace(ARM, endpoint=endpoint, version=version), start * DAY_US, (start + 1) * DAY_US)
        for start in (-1, 0, 1)
        for endpoint in ("a", "b")
        for version in (2, 10)
    ]
    async with windows.write() as writer:
        await writer.joins.add_sums({key: Sums(predictions=1) for key in reversed(keys)})
    async with windows.read() as reader:
        everything = await reader.performance(Span(""), Page(500, None))
        assert [one.key for one in everything] == keys
        for position, key in enumerate(keys):
            arm = key.arm
            after = (key.start_us, arm.endpoint, arm.model, arm.version, arm.route, key.end_us)
            page = await reader.performance(Span(""), Page(2, after))
            assert page == everything[position + 1 : position + 4]
        day = await reader.performance(Span("a", EPOCH, EPOCH + timedelta(days=1)), Page(500, None))
        assert [(one.key.arm.endpoint, one.key.start_us) for one in day] == [("a", 0), ("a", 0)]


async def test_coverage_is_by_endpoint_over_arms_and_windows_of_the_span(windows: Windows) -> None:
    other = WindowKey(replace(ARM, version=4), DAY_US, 2 * DAY_US)
    async with windows.write() as writer:
        await writer.joins.add_sums({KEY: Sums(3, 1, newest_label_us=9), other: Sums(4, 2, newest_label_us=7)})
        await writer.joins.add_tally("waits", LabelTally(recorded=2))
        await writer.joins.add_tally("waits", LabelTally(expired=1, ignored=3))
        await writer.joins.add_tally("nothing", LabelTally())
    waits = Coverage("waits", labels=LabelTally(recorded=2, expired=1, ignored=3))
    async with windows.read() as reader:
        assert await reader.coverage(Span("")) == [Coverage(ARM.endpoint, 7, 3, 9), waits]
        assert await reader.coverage(Span(ARM.endpoint, EPOCH + timedelta(days=1))) == [Coverage(ARM.endpoint, 4, 2, 7)]
        assert await reader.coverage(Span("waits")) == [waits]
        assert await reader.coverage(Span("nothing")) == []


async def test_what_is_old_is_pruned_but_labels_stay_with_their_predictions(windows: Windows) -> None:
    later = NOW + timedelta(days=1)
    waiting = replace(LABEL, joined=False)
    async with windows.write() as writer:
        joins = writer.joins
        await joins.keep_predictions([ROW, replace(ROW, prediction_id="gone")], NOW)
        await joins.keep_predictions([replace(ROW, prediction_id="young")], later)
        await joins.keep_labels(ARM.endpoint, {"gone": LABEL, "young": LABEL, "waits": waiting}, NOW)
        await joins.keep_labels("other", {"waits": waiting, "waits-too": waiting}, NOW)
        await joins.keep_labels("other", {"waits-young": waiting}, later)
        assert await joins.prune(NOW) == {}
        assert await joins.prune(later) == {ARM.endpoint: 1, "other": 2}
        assert await joins.prune(later) == {}
        ids = ["a", "gone", "young", "waits", "waits-too", "waits-young"]
        assert [one.prediction_id for one in await joins.predictions(ARM.endpoint, ids)] == ["young"]
        assert await joins.labels(ARM.endpoint, ids) == {"young": LABEL}
        assert await joins.labels("other", ids) == {"waits-young": waiting}


async def test_a_transaction_that_fails_leaves_nothing(windows: Windows) -> None:
    async def fail() -> None:
        async with windows.write() as writer:
            await writer.joins.keep_predictions([ROW], NOW)
            await writer.joins.keep_labels(ARM.endpoint, {"a": LABEL}, NOW)
            await writer.joins.add_sums({KEY: HUGE})
            await writer.joins.add_tally(ARM.endpoint, LabelTally(recorded=1))
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        await fail()
    async with windows.write() as writer:
        assert await writer.joins.predictions(ARM.endpoint, ["a"]) == []
        assert await writer.joins.labels(ARM.endpoint, ["a"]) == {}
        assert await writer.performance(Span(""), Page(500, None)) == []
        assert await writer.coverage(Span("")) == []
