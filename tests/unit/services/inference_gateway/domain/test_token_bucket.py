from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.inference_gateway.domain.token_bucket import Quota, TokenBucket

quotas = st.builds(Quota, st.floats(0.01, 1e6), st.integers(1, 10_000))
asked = st.lists(st.tuples(st.floats(0, 100), st.integers(1, 10_000)), max_size=40)


@given(quotas, asked)
def test_no_more_is_given_than_the_quota_and_a_hint_is_exact(quota: Quota, asked: list[tuple[float, int]]) -> None:
    bucket, now, given_rows = TokenBucket(quota, 0.0), 0.0, 0
    for pause_s, rows in asked:
        now += pause_s
        if rows > quota.burst_rows:
            continue
        wait_s = bucket.take(rows, now)
        if wait_s:
            half = now + wait_s / 2
            assert wait_s < 1e-5 or bucket.take(rows, half) > 0
            now += wait_s
            assert bucket.take(rows, now) == 0
        given_rows += rows
        # A millionth of a second is given away with every hint.
        assert given_rows <= quota.burst_rows + quota.rows_per_s * (now + 2e-6 * len(asked)) + 1e-6


def test_a_pause_saves_up_no_more_than_the_burst() -> None:
    bucket = TokenBucket(Quota(10.0, 20), 0.0)
    assert bucket.take(20, 1000.0) == 0
    assert bucket.take(1, 1000.0) == 0.1
