from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.inference_gateway.domain.columns import Array, Column, ValueKind
from services.inference_gateway.domain.desired import Route, VersionKey
from services.inference_gateway.domain.key_hash import hashed, mixed, named
from services.inference_gateway.domain.routing import assign

IDS = [f"key-{number}" for number in range(2000)]
weighted = st.lists(st.integers(0, 10_000), min_size=1, max_size=5).filter(any)
value = st.text(max_size=40) | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.booleans() | st.none()


def routes(weights: list[int], **more: Any) -> list[Route]:
    return [Route(f"r{place}", VersionKey("m", place + 1), weight, **more) for place, weight in enumerate(weights)]


def drawn(weights: list[int], **more: Any) -> Array:
    return assign("late", [], IDS, routes(weights, **more))


def column(name: str, *values: Any) -> Column:
    """A column of values of one kind; None is absence."""
    kinds = {str: ValueKind.STRING, int: ValueKind.INT64, float: ValueKind.DOUBLE, bool: ValueKind.BOOL}
    kind = next((type(one) for one in values if one is not None), float)
    absent = [row for row, one in enumerate(values) if one is None]
    return Column.of(name, kinds[kind], [kind() if one is None else one for one in values], absent)


@settings(deadline=None)
@given(weighted)
def test_shares_follow_weights(weights: list[int]) -> None:
    shares = np.bincount(drawn(weights), minlength=len(weights)) / len(IDS)
    expected = np.array(weights) / sum(weights)
    # Five standard deviations of a share of 2,000 draws.
    assert np.all(np.abs(shares - expected) <= 5 * np.sqrt(expected * (1 - expected) / len(IDS)) + 1e-12)
    assert not shares[expected == 0].any()


@settings(deadline=None, max_examples=30)
@given(weighted, st.lists(st.tuples(value, value), min_size=1, max_size=12))
def test_a_key_keeps_its_arm_whoever_comes_with_it_and_in_whatever_order(
    weights: list[int], keys: list[tuple[Any, Any]]
) -> None:
    arms = routes(weights)
    for kind in {type(key[0]) for key in keys} - {type(None)}:
        rows = [key for key in keys if type(key[0]) in {kind, type(None)}]
        texts = [None if key[1] is None else str(key[1]) for key in rows]
        columns = [column("a", *(key[0] for key in rows)), column("b", *texts)]
        ids = [f"{row}" for row in range(len(rows))]
        together = assign("late", columns, ids, arms).tolist()
        assert assign("late", columns[::-1], ids, arms).tolist() == together
        for row, (first, _) in enumerate(rows):
            alone = [column("a", first), column("b", texts[row])]
            assert assign("late", alone, [ids[row]], arms).tolist() == [together[row]]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)), min_size=2, max_size=5))
def test_a_row_only_goes_to_an_arm_that_grew_more_than_its_own(weights: list[tuple[int, int]]) -> None:
    before, after = ([pair[place] for pair in weights] for place in (0, 1))
    if not any(before) or not any(after):
        return
    for was, now in set(zip(drawn(before).tolist(), drawn(after).tolist(), strict=True)):
        assert was == now or after[now] * before[was] > after[was] * before[now]


def test_a_canary_keeps_whom_it_has_and_an_arm_that_goes_moves_nobody_else() -> None:
    five, ten, gone = drawn([95, 5]), drawn([90, 10]), drawn([90, 0])
    assert np.all(ten[five == 1] == 1)
    assert (five == 1).sum() < (ten == 1).sum()
    assert np.all(gone[ten == 0] == 0)
    three = drawn([60, 30, 10])
    without = drawn([60, 0, 10])
    assert np.all(without[three != 1] == three[three != 1])


def test_endpoints_and_experiments_draw_apart() -> None:
    one, other = (drawn([50, 50], salt=salt) for salt in ("experiment/spring", "experiment/autumn"))
    # Who was in one's arm tells nothing of the other's: five standard deviations of a share of 2,000 draws.
    assert abs((one == other).mean() - 0.5) < 5 * 0.5 / np.sqrt(len(IDS))
    assert drawn([50, 50]).tolist() != assign("price", [], IDS, routes([50, 50])).tolist()
    # An arm that is in no experiment keeps its draws, so that a new one deals among its own arms alone.
    outside = Route("outside", VersionKey("m", 9), 100)
    inside = [assign("late", [], IDS, [outside, *routes([50, 50], salt=salt)]) for salt in ("a", "b")]
    assert abs(((inside[0] == 0) & (inside[1] == 0)).mean() - 1 / 3) < 0.06


def test_rows_are_sticky_by_the_keys_that_are_named_and_by_their_ids_without_any() -> None:
    half = len(IDS) // 2
    plane, day = column("plane", *(IDS[:half] * 2)), column("day", *range(len(IDS)))
    by_plane = assign("late", [plane, day], IDS, routes([50, 50], sticky_by=("plane",)))
    assert by_plane[:half].tolist() == by_plane[half:].tolist()
    assert assign("late", [day, plane], IDS, routes([50, 50])).tolist() != by_plane.tolist()
    by_id = assign("late", [], IDS, routes([50, 50]))
    unknown = [column("plane", *([None] * len(IDS))), day]
    assert assign("late", unknown, IDS, routes([50, 50], sticky_by=("plane", "gate"))).tolist() == by_id.tolist()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (column("a", 1), column("a", 1.0)),
        (column("a", 0.0), column("a", -0.0)),
        (column("a", None), column("a", float("nan"))),
        (column("a", 2**53), column("a", float(2**53))),
    ],
)
def test_what_means_the_same_is_hashed_alike(one: Column, other: Column) -> None:
    assert hashed([one], 1).tolist() == hashed([other], 1).tolist()


def test_what_means_something_else_is_hashed_apart() -> None:
    long = "x" * 300
    alone = [column("a", one) for one in ("", "a", "a\0", "1", long, long + "x", 1, 2, 2**53 + 1, 0.5, True, False)]
    pairs = [[column("a", "x"), column("b", "y")], [column("a", "y"), column("b", "x")], [column("b", "x")]]
    found = [hashed(columns, 1)[0] for columns in (*([one] for one in alone), *pairs)]
    assert len(set(found)) == len(found)
    assert all(found)


def test_the_algorithm_gives_the_same_on_every_platform_and_for_ever() -> None:
    # Another value here deals every row of every endpoint anew: that is another algorithm, and needs another name.
    assert mixed(np.array([0, 1, 2**64 - 1], dtype=np.uint64)).tolist() == [
        0,
        12994781566227106604,
        7256831767414464289,
    ]
    assert int(named("arm", "late", "main")) == 5387380586963114346
    columns = [column("plane", "N14228", "é", "x" * 300, None), column("seat", 7, 2**60, -1, None)]
    assert hashed(columns, 4).tolist() == [14314630209191055162, 5988322772368936824, 5697885911182149859, 0]
    chosen = assign("late", [], list("abcdefghijklmnopqrstuvwxyz"), routes([50, 30, 20]))
    assert "".join(map(str, chosen.tolist())) == "00000200000010111101121001"
