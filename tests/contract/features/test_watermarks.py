from __future__ import annotations

from datetime import UTC, datetime, timedelta

from services.feature_serving.domain.watermark import Watermark
from services.feature_serving.ports.written import Watermarks
from slipway.paging import Page

NOW = datetime(2013, 1, 1, 5, 15, tzinfo=UTC)


async def test_a_watermark_never_goes_back(watermarks: Watermarks) -> None:
    assert (await watermarks.several(["planes"])).get("planes") is None
    first = Watermark("planes", 10, NOW)
    await watermarks.raise_to([first])
    await watermarks.raise_to([Watermark("planes", 9, NOW + timedelta(1)), Watermark("planes", 10, NOW + timedelta(1))])
    assert (await watermarks.several(["planes"])).get("planes") == first
    higher = Watermark("planes", 11, NOW + timedelta(1))
    await watermarks.raise_to([higher])
    assert (await watermarks.several(["planes"])).get("planes") == higher


async def test_pages_are_by_view_after_the_last_one(watermarks: Watermarks) -> None:
    await watermarks.raise_to([Watermark(view, 1, NOW) for view in "cadb"])
    assert [one.view for one in await watermarks.page(Page(2, None))] == ["a", "b", "c"]
    assert [one.view for one in await watermarks.page(Page(2, ("b",)))] == ["c", "d"]
