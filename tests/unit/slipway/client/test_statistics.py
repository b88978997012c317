from __future__ import annotations

from bisect import bisect_left

from hypothesis import given
from hypothesis import strategies as st

from slipway.client import Distribution

ENDS = (0.1, 0.5, 1.0, 5.0)
VALUES = st.lists(st.floats(0.001, 5.0), min_size=1, max_size=50)


def counted(values: list[float]) -> Distribution:
    counts = [0] * (len(ENDS) + 1)
    for one in values:
        counts[bisect_left(ENDS, one)] += 1
    return Distribution(ENDS, tuple(counts), sum(values))


@given(VALUES, st.floats(0.01, 1.0))
def test_a_quantile_lies_in_the_bucket_of_the_value_that_it_stands_for(values: list[float], share: float) -> None:
    exact = sorted(values)[max(0, -int(-share * len(values) // 1) - 1)]
    told = counted(values).quantile(share)
    assert told is not None
    place = bisect_left(ENDS, exact)
    assert (0.0, *ENDS)[place] <= told <= ENDS[place]


@given(VALUES, VALUES)
def test_what_was_counted_since_is_what_came_between(before: list[float], more: list[float]) -> None:
    between = counted(before + more).since(counted(before))
    assert between.counts == counted(more).counts
    assert abs(between.total - sum(more)) < 1e-9


def test_a_count_that_began_anew_is_taken_whole_and_nothing_has_no_quantile() -> None:
    assert counted([0.2]).since(counted([0.2, 0.3])) == counted([0.2])
    assert (Distribution().quantile(0.5), Distribution().mean, counted([9.0]).quantile(0.5)) == (None, None, 5.0)
