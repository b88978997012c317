from __future__ import annotations

from datetime import UTC, datetime

import pytest

from services.monitor.domain.dead_letter import DeadLetter, fitting


def letter(value: bytes | None, error: str = "") -> DeadLetter:
    return DeadLetter(0, "e", "t", 0, 0, "", datetime(2013, 1, 1, tzinfo=UTC), error, 8, value)


@pytest.mark.parametrize(
    ("letters", "count"),
    [
        ([letter(b"x" * 8)] * 3, 3),
        ([letter(b"x" * 8)] * 4, 3),
        ([letter(b"x" * 28), letter(b"")], 1),
        ([letter(b"x" * 29), letter(b"")], 1),
        ([letter(None)] * 16, 15),
        ([letter(None, "é" * 14)] * 2, 1),
        ([], 1),
    ],
)
def test_an_answer_carries_what_fits_and_at_least_one(letters: list[DeadLetter], count: int) -> None:
    assert fitting(letters, 30) == count
