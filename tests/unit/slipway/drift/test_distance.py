from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.drift import chance, jensen_shannon, spread

PAIRS = st.integers(1, 30).flatmap(
    lambda width: st.tuples(*[st.lists(st.integers(0, 10_000), min_size=width, max_size=width)] * 2)
)


@given(PAIRS)
def test_a_distance_is_symmetric_bounded_and_0_of_equals(pair: tuple[list[int], list[int]]) -> None:
    p, q = pair
    found = jensen_shannon(p, q)
    assert 0 <= found <= 1
    assert found == pytest.approx(jensen_shannon(q, p), abs=1e-12)
    assert jensen_shannon(p, p) == 0
    assert jensen_shannon(p, [3 * one for one in p]) == pytest.approx(0, abs=1e-7)


def test_it_is_1_of_what_has_nothing_in_common_and_0_of_nothing() -> None:
    assert jensen_shannon([5, 0], [0, 9]) == 1
    assert jensen_shannon([0, 0], [0, 9]) == 0


def test_chance_covers_what_a_sample_shows_by_itself() -> None:
    rng = np.random.default_rng(7)
    for rows in (100, 1_000, 20_000):
        limit = chance(rows, 21)
        told = [jensen_shannon(rng.multinomial(rows, np.full(21, 1 / 21)), [1] * 21) for _ in range(400)]
        assert sum(one > limit for one in told) <= 4
        assert max(told) > limit / 2
    assert (chance(0, 21), chance(5, 1)) == (1, 0)
    assert chance(1_000, 21) < chance(1_000, 21, 1_000) < chance(100, 21)


def test_the_spread_is_what_blocks_keep_from_each_other() -> None:
    rng = np.random.default_rng(7)
    alike = rng.multinomial(2_000, np.full(20, 1 / 20), size=12)
    assert 0 < (calm := spread(alike, 1) or 0) < 0.08
    apart = alike.copy()
    apart[3, :10] *= 3
    assert (spread(apart, 1) or 0) > 3 * calm
    assert spread(alike, 1) == calm
    assert spread(alike[:2]) is None
    assert spread(np.vstack([alike[:2], np.zeros((3, 20), dtype=int)])) is None
