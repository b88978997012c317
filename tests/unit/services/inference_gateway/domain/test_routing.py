from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from services.inference_gateway.domain.desired import Route, VersionKey
from services.inference_gateway.domain.routing import assign

KEYS = [f"key-{number}".encode() for number in range(2000)]
weighted = st.lists(st.integers(0, 10_000), min_size=1, max_size=5).filter(any)


def routes(weights: list[int]) -> list[Route]:
    return [Route(f"r{place}", VersionKey("m", place + 1), weight) for place, weight in enumerate(weights)]


@settings(deadline=None)
@given(weighted)
def test_shares_follow_weights(weights: list[int]) -> None:
    shares = np.bincount(assign("late", KEYS, routes(weights)), minlength=len(weights)) / len(KEYS)
    expected = np.array(weights) / sum(weights)
    # Five standard deviations of a share of 2,000 draws.
    assert np.all(np.abs(shares - expected) <= 5 * np.sqrt(expected * (1 - expected) / len(KEYS)) + 1e-12)
    assert not shares[expected == 0].any()


@settings(deadline=None)
@given(weighted, st.lists(st.binary(max_size=40), min_size=1, max_size=30), st.randoms())
def test_a_key_keeps_its_arm_whoever_comes_with_it(weights: list[int], keys: list[bytes], random: object) -> None:
    arms = routes(weights)
    together = dict(zip(keys, assign("late", keys, arms).tolist(), strict=True))
    for key in reversed(keys):
        assert assign("late", [key], arms).tolist() == [together[key]]


@settings(deadline=None)
@given(st.integers(1, 99), st.integers(1, 99))
def test_a_growing_arm_keeps_whom_it_has(before: int, after: int) -> None:
    small, large = sorted((before, after))
    first = assign("late", KEYS, routes([small, 100 - small]))
    second = assign("late", KEYS, routes([large, 100 - large]))
    assert not np.any((first == 0) & (second == 1))


def test_endpoints_draw_apart() -> None:
    arms = routes([50, 50])
    assert assign("late", KEYS, arms).tolist() != assign("price", KEYS, arms).tolist()


def test_the_arm_of_a_key_is_the_same_after_every_restart() -> None:
    assert assign("late", [b"a", b"b", b"c", b"d", b"e", b"f"], routes([50, 50])).tolist() == [0, 0, 1, 1, 1, 0]
