from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registry.domain.history import AliasMove, before_current

NOW = datetime(2013, 5, 1, tzinfo=UTC)


def history(*versions: int) -> list[AliasMove]:
    """Moves to each of ``versions``; a negative one is a rollback to it."""
    moves, current = [], 0
    for version in versions:
        moves.append(AliasMove("m", "champion", current, abs(version), NOW, rollback=version < 0))
        current = abs(version)
    return moves


@pytest.mark.parametrize(
    ("versions", "before"),
    [
        ((), None),
        ((1,), None),
        ((1, 2), 1),
        ((1, 2, 3), 2),
        ((1, 2, 3, -2), 1),
        ((1, 2, 3, -2, -1), None),
        ((1, 2, -1, 3), 1),
        ((1, 2, 1), 2),
        ((1, 2, 0, 2), None),
        ((1, 2, 0, 3, 4), 3),
        ((1, 2, 3, 4, -2), 1),
        ((1, 2, 3, 4, -2, -4), 2),
        ((1, 2, 1, 3, -1), 2),
    ],
)
def test_where_an_alias_goes_back_to(versions: tuple[int, ...], before: int | None) -> None:
    assert before_current(history(*versions)) == before


@given(st.lists(st.integers(1, 5), min_size=1, max_size=20))
def test_rollbacks_in_a_row_walk_all_the_way_and_never_return(versions: list[int]) -> None:
    told = [one for n, one in enumerate(versions) if n == 0 or one != versions[n - 1]]
    went = list(told)
    for left in reversed(told[:-1]):
        assert before_current(history(*went)) == left
        went.append(-left)
    assert before_current(history(*went)) is None
