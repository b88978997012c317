from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from slipway.events import Backoff


@given(st.integers(1, 10_000))
def test_a_delay_stays_within_its_doubling_and_its_limit(failures: int) -> None:
    delay_s = Backoff(first_s=0.5, limit_s=8.0).delay_s(failures)
    assert 0 <= delay_s <= min(8.0, 0.5 * 2 ** min(failures - 1, 10))


def test_what_the_error_asks_for_is_the_least() -> None:
    assert Backoff(first_s=0.001, limit_s=0.001).delay_s(3, at_least_s=5.0) == 5.0
