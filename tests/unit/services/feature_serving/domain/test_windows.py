"""The windows' algebra against a naive oracle."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.feature_serving.domain import windows
from services.feature_serving.domain.tiles import Tiles
from services.feature_serving.domain.view import Aggregation, Definition, Feature, Function, ValueType

HOP_US = 60_000_000
WINDOWS = (1, 3, 10)
EXACT = [one for one in Function if one is not Function.STDDEV]
DEFINITION = Definition(
    name="delays",
    owner="network",
    description="",
    entities=("origin",),
    features=tuple(Feature(f"{one}_{reach}", ValueType.DOUBLE) for one in Function for reach in WINDOWS),
    aggregations=tuple(
        Aggregation(f"{one}_{reach}", "delay", one, timedelta(minutes=reach)) for one in Function for reach in WINDOWS
    ),
    hop=timedelta(minutes=1),
)
HALVES = st.integers(-1_000_000, 1_000_000).map(lambda number: number / 2)
MOMENTS = st.integers(HOP_US, 30 * HOP_US)
EVENTS = st.lists(st.tuples(st.sampled_from([b"a", b"b", b"c"]), MOMENTS, HALVES | st.just(math.nan)), max_size=40)
Given = list[tuple[bytes, int, float]]


def oracle(events: Given, entity: bytes, boundary_us: int, one: Aggregation) -> float:
    """The value by the words of the contract."""
    start_us = boundary_us - one.window // timedelta(microseconds=1)
    values = [v for who, at, v in events if who == entity and start_us <= at < boundary_us and not math.isnan(v)]
    if one.function is Function.COUNT:
        return len(values)
    if not values:
        return math.nan
    make: dict[Function, Callable[[list[float]], float]] = {
        Function.SUM: sum,
        Function.MEAN: lambda found: sum(found) / len(found),
        Function.MIN: min,
        Function.MAX: max,
        Function.STDDEV: statistics.pstdev,
    }
    return float(make[one.function](values))


def absorb(tiles: Tiles, events: Given, boundary_us: int = 0) -> None:
    if events:
        entities, times, values = zip(*events, strict=True)
        tiles.absorb(list(entities), np.array(times), np.array([values]), boundary_us)


def same(found: float, wanted: float, function: Function) -> bool:
    if math.isnan(wanted) or math.isnan(found):
        return math.isnan(wanted) and math.isnan(found)
    if function is Function.STDDEV:
        return math.isclose(found, wanted, rel_tol=1e-9, abs_tol=1e-6)
    return found == wanted


@given(st.lists(EVENTS, max_size=5), st.lists(st.integers(1, 45), min_size=1, max_size=6).map(sorted))
def test_however_events_come_values_are_the_oracles(batches: list[Given], boundaries: list[int]) -> None:
    """Batches before each boundary, some of their events late, some early; what was written last is what is online."""
    tiles = Tiles(DEFINITION)
    known: Given = []
    online: dict[bytes, list[float]] = {}
    before_us = 0
    for n, hops in enumerate(boundaries):
        batch = batches[n] if n < len(batches) else []
        absorb(tiles, batch, before_us)
        known += batch
        boundary_us = hops * HOP_US
        if boundary_us > before_us:
            entities, values = tiles.values(before_us, boundary_us)
            online |= {one: [float(column[place]) for column in values] for place, one in enumerate(entities)}
            tiles.settle(boundary_us)
            before_us = boundary_us
            for entity in {who for who, at, _ in known if at < boundary_us}:
                for found, one in zip(online[entity], DEFINITION.aggregations, strict=True):
                    assert same(found, oracle(known, entity, boundary_us, one), one.function), (entity, one)
    assert set(online) == {who for who, at, _ in known if at < before_us}


@given(EVENTS, EVENTS)
def test_what_was_stored_makes_the_same_values(first: Given, second: Given) -> None:
    tiles, again = Tiles(DEFINITION), Tiles(DEFINITION)
    stored = {}
    for batch in (first, second):
        if batch:
            entities, times, values = zip(*batch, strict=True)
            for tile in tiles.absorb(list(entities), np.array(times), np.array([values]), 0):
                stored[tile.start_us, tile.entity] = tile
    again.load(stored.values())
    names, made = tiles.values(0, 20 * HOP_US)
    others, loaded = again.values(0, 20 * HOP_US)
    assert {name: [repr(column[n]) for column in made] for n, name in enumerate(names)} == {
        name: [repr(column[n]) for column in loaded] for n, name in enumerate(others)
    }


@given(st.lists(HALVES, min_size=1, max_size=30), st.data())
def test_partials_merge_in_any_grouping(values: list[float], data: st.DataObject) -> None:
    groups = data.draw(st.lists(st.integers(0, 4), min_size=len(values), max_size=len(values)))
    single = windows.lift(np.array([values]))
    parts = windows.merge(single, np.array(groups), 5)
    once = windows.merge(single, np.zeros(len(values), np.int64), 1)
    twice = windows.merge(parts, np.zeros(5, np.int64), 1)
    for function in EXACT:
        assert windows.finalise(once[0], function) == windows.finalise(twice[0], function)
    spreads = [windows.finalise(one[0], Function.STDDEV)[0] for one in (once, twice)]
    assert math.isclose(*spreads, rel_tol=1e-9, abs_tol=1e-6)


def test_a_spread_survives_a_large_mean() -> None:
    base = datetime(2013, 1, 1, tzinfo=UTC).timestamp()
    values = [base, base + 1, base + 2, base + 3]
    parts = windows.merge(windows.lift(np.array([values])), np.array([0, 0, 1, 1]), 2)
    whole = windows.merge(parts, np.zeros(2, np.int64), 1)
    assert math.isclose(windows.finalise(whole[0], Function.STDDEV)[0], statistics.pstdev([0, 1, 2, 3]), rel_tol=1e-12)


def test_what_no_window_reaches_is_forgotten() -> None:
    tiles = Tiles(DEFINITION)
    absorb(tiles, [(b"a", hop * HOP_US, 1.0) for hop in range(1, 100)])
    assert tiles.settle(100 * HOP_US) == (100 - 10 - 1) * HOP_US
    assert len(tiles._starts) == 11
    # Little is forgotten only together with what comes after it.
    assert tiles.settle(101 * HOP_US) is None
    assert tiles.settle(103 * HOP_US) == (103 - 10 - 1) * HOP_US
