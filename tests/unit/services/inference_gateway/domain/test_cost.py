from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.inference_gateway.domain.cost import Cost

seconds = st.floats(1e-6, 1.0)


@given(seconds, st.floats(1e-7, 1e-2), st.lists(st.integers(1, 512), min_size=8, max_size=60))
def test_a_line_is_found(per_batch: float, per_row: float, sizes: list[int]) -> None:
    cost = Cost()
    for rows in [1, 400, *sizes]:
        cost.learn(rows, per_batch + per_row * rows)
    for rows in (1, 64, 400):
        assert cost.seconds(rows) == pytest.approx(per_batch + per_row * rows, rel=0.02, abs=1e-7)


@given(seconds, st.integers(1, 100))
def test_of_one_size_alone_its_own_time_is_known(took_s: float, rows: int) -> None:
    cost = Cost()
    for _ in range(5):
        cost.learn(rows, took_s)
    assert cost.seconds(rows) == pytest.approx(took_s)
    assert cost.per_row_s >= 0
    assert cost.per_batch_s >= 0


@given(st.lists(st.tuples(st.integers(1, 4096), seconds), min_size=3, max_size=40), seconds)
def test_the_largest_batch_that_ends_in_time(seen: list[tuple[int, float]], within_s: float) -> None:
    cost = Cost()
    for rows, took_s in seen:
        cost.learn(rows, took_s)
    found = cost.rows_within(within_s, 1024)
    assert 1 <= found <= 1024
    if found > 1:
        assert cost.seconds(found) <= within_s * (1 + 1e-9)
    if found < 1024:
        assert cost.seconds(found + 1) >= within_s * (1 - 1e-9)


def test_nothing_is_said_before_some_batches_were_seen() -> None:
    cost = Cost()
    cost.learn(10, 5.0)
    assert not cost.known
    assert cost.seconds(10) == 0
    assert cost.rows_within(1e-9, 64) == 64
