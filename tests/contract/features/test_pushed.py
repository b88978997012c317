"""What keeps rows that came by calls promises."""

from __future__ import annotations

from datetime import UTC, datetime

from services.feature_serving.domain.rows import Batch, Row
from services.feature_serving.domain.watermark import Watermark
from services.feature_serving.ports.written import Pushed, Watermarks

NOW = datetime(2013, 1, 1, tzinfo=UTC)


def batch(view: str, *rows: Row, fields: tuple[bytes, ...] = (b"f" * 4, b"g" * 4)) -> Batch:
    return Batch(f"_ts:{view}".encode(), fields, (), rows)


async def kept(pushed: Pushed) -> dict[tuple[bytes, bytes], tuple[int, dict[bytes, bytes]]]:
    """By timestamp field and key."""
    return {
        (one.timestamp_field, row.key): (row.event_time_us, dict(zip(one.fields, row.values, strict=True)))
        async for one in pushed.batches()
        for row in one.rows
    }


async def test_the_newest_row_of_an_entity_is_kept_and_of_equals_the_last(pushed: Pushed) -> None:
    for moment_us, value in ((5, b"old"), (7, b"first"), (7, b""), (6, b"late")):
        await pushed.keep("v", batch("v", Row(b"k", moment_us, (value, b"\0"))), [])
    assert await kept(pushed) == {(b"_ts:v", b"k"): (7, {b"f" * 4: b"", b"g" * 4: b"\0"})}


async def test_more_rows_than_a_page_of_several_views_are_all_there(pushed: Pushed) -> None:
    for view in ("v", "w"):
        rows = [Row(b"%d" % n + b"k" * 3_000, n + 1, (b"%d" % n, b"x")) for n in range(700)]
        await pushed.keep(view, batch(view, *rows), [])
    await pushed.keep("w", batch("w", Row(b"alone", 1, (b"y",)), fields=(b"h" * 4,)), [])
    found = await kept(pushed)
    assert len(found) == 1_401
    assert found[b"_ts:w", b"699" + b"k" * 3_000] == (700, {b"f" * 4: b"699", b"g" * 4: b"x"})
    assert found[b"_ts:w", b"alone"] == (1, {b"h" * 4: b"y"})


async def test_watermarks_rise_with_the_rows(pushed: Pushed, watermarks: Watermarks) -> None:
    await pushed.keep("v", batch("v"), [Watermark("v", 9, NOW)])
    await pushed.keep("v", batch("v", Row(b"k", 5, (b"1", b"2"))), [Watermark("v", 5, NOW)])
    mark = (await watermarks.several(["v"])).get("v")
    assert mark is not None
    assert mark.event_time_us == 9
