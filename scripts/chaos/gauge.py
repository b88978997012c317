"""How fast a load was, and when it answered again. Pure functions of operations."""

from __future__ import annotations

from collections.abc import Sequence

from scripts.chaos.history import Operation, Outcome

ENOUGH_PER_S = 50.0
"""A round whose load was slower than this before the fault says nothing, and is void."""
BOUND_S = 2.0
"""An answer that takes longer does not count as answering again."""
STREAK = 10
"""So many good answers, with no bad one after them, are answering again."""


def rate(operations: Sequence[Operation], aside: frozenset[str], since_s: float, until_s: float) -> float:
    """Good answers a second in a stretch of time, but of the kinds ``aside``."""
    if until_s <= since_s:
        return 0.0
    # Calls are numbered as they begin; none lasts for long, so what ended in the stretch is near the end.
    count = 0
    for one in reversed(operations):
        if one.ended_s is not None and since_s <= one.ended_s < until_s and one.outcome is Outcome.OK:
            count += one.kind not in aside
        elif one.began_s < since_s - 60.0:
            break
    return count / (until_s - since_s)


def p99_s(operations: Sequence[Operation], aside: frozenset[str], since_s: float, until_s: float) -> float | None:
    """How long 99 of 100 good answers took at most, of calls made in a stretch of time; None: there was none."""
    took = sorted(
        one.ended_s - one.began_s
        for one in operations
        if since_s <= one.began_s < until_s
        and one.ended_s is not None
        and one.outcome is Outcome.OK
        and one.kind not in aside
    )
    return took[min(len(took) - 1, len(took) * 99 // 100)] if took else None


def answered_again(operations: Sequence[Operation], aside: frozenset[str], after_s: float) -> float | None:
    """When the first good answer after the last bad one came, of calls made after ``after_s``.

    None while fewer than ``STREAK`` good ones have come since. A fault that lasts is felt until it ends.
    """
    ended = [
        (one.ended_s, one.outcome is Outcome.OK and one.ended_s - one.began_s <= BOUND_S)
        for one in _begun_after(operations, after_s)
        if one.ended_s is not None and one.kind not in aside
    ]
    streak: list[float] = []
    for at_s, good in sorted(ended):
        streak = [*streak, at_s] if good else []
    return streak[0] if len(streak) >= STREAK else None


def _begun_after(operations: Sequence[Operation], after_s: float) -> list[Operation]:
    found: list[Operation] = []
    for one in reversed(operations):
        if one.began_s < after_s:
            break
        found.append(one)
    return found
