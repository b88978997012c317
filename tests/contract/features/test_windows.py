"""What windowed views' events leave behind, on every adapter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from services.feature_serving.domain.advance import Change, Standing
from services.feature_serving.domain.tiles import Tile
from services.feature_serving.domain.watermark import Watermark
from services.feature_serving.ports.windows import Windows
from services.feature_serving.ports.written import Watermarks
from slipway import paging

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def tile(start_us: int, entity: bytes, *partials: tuple[float, ...]) -> Tile:
    return Tile(start_us, entity, np.array(partials))


def told(tiles: object) -> object:
    assert isinstance(tiles, list)
    return sorted((one.start_us, one.entity, one.partials.tolist()) for one in tiles)


async def test_a_tile_takes_the_place_of_its_predecessor(windows: Windows) -> None:
    first = tile(5, b"\x00a", (1, 2, 0, 2, 2), (0, 0, 0, np.inf, -np.inf))
    second = tile(5, b"\x00a", (2, 2.5, 1, 0.5, 2), (0, 0, 0, np.inf, -np.inf))
    other = tile(7, b"\xff", (1, 1, 0, 1, 1), (1, -3, 0, -3, -3))
    async with windows.write() as writer:
        await writer.put([Change("v", ["x", "y"], [first], Standing(10, 0, 0, 1))], NOW)
    async with windows.write() as writer:
        of_v = Change("v", ["x", "y"], [second, other], Standing(20, 0, 3, 2))
        of_w = Change("w", ["x"], [tile(5, b"a", (1, 1, 0, 1, 1))], Standing(1, 0, 0, 1))
        await writer.put([of_v, of_w], NOW)
    async with windows.read() as reader:
        stand = await reader.standings(["v", "none"])
        assert stand == {"v": Standing(20, 0, 3, 2), "none": Standing()}
        assert told(await reader.tiles("v", ["x", "y"])) == told([second, other])
        # A column that nothing was stored of holds nothing; one that is not asked for is left out.
        (left, _) = sorted(await reader.tiles("v", ["z", "x"]), key=lambda one: one.start_us)
        assert left.partials.tolist() == [[0, 0, 0, np.inf, -np.inf], [2, 2.5, 1, 0.5, 2]]
    async with windows.write() as writer:
        await writer.trim({"v": 7})
    async with windows.read() as reader:
        assert [one.start_us for one in await reader.tiles("v", ["x"])] == [7]
        assert len(await reader.tiles("w", ["x"])) == 1


async def test_values_come_after_events_and_never_go_back(windows: Windows, watermarks: Watermarks) -> None:
    async with windows.write() as writer:
        await writer.put([Change("v", ["x"], [], Standing(20, 0, 0, 1))], NOW)
    assert (await watermarks.several(["v"])).get("v") is None
    assert await watermarks.page(paging.parse(10, "", (str,))) == []
    async with windows.read() as reader:
        assert await reader.unfinished() == ["v"]
    for reached_us in (20, 10):
        async with windows.write() as writer:
            await writer.reach([Watermark("v", reached_us, NOW + timedelta(seconds=reached_us))])
    found = (await watermarks.several(["v"])).get("v")
    assert found is not None
    assert (found.event_time_us, found.update_time) == (20, NOW + timedelta(seconds=20))
    async with windows.write() as writer:
        assert await writer.unfinished() == []
        await writer.reach([Watermark("new", 30, NOW)])
        # An event without rows is not stored but by the watermark it raised.
        assert await writer.standings(["new"]) == {"new": Standing(30, 30, 0, 0)}


async def test_an_id_is_claimed_once_until_it_is_forgotten(windows: Windows) -> None:
    async with windows.write() as writer:
        assert await writer.claim(["a", "b"], NOW) == {"a", "b"}
    async with windows.write() as writer:
        assert await writer.claim(["b", "c"], NOW) == {"c"}
        assert await writer.forget(NOW + timedelta(seconds=1)) == 3
        assert await writer.claim(["b"], NOW) == {"b"}
