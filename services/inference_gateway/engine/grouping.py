"""Which of the requests that wait at an endpoint can be one wave."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from services.inference_gateway.domain.merge import layout, same_layout
from services.inference_gateway.engine.ask import Ask

_FOR_EVER = 99


def grouped(asks: Sequence[Ask], now: float) -> Iterable[list[Ask]]:
    """The requests that can be one wave, in order; ``now`` is monotonic, in seconds."""
    if len(asks) < 2:
        return [list(asks)] if asks else []
    first, patience = asks[0], _patience(asks[0].deadline, now)
    if all([_goes_with(first, ask) and _patience(ask.deadline, now) == patience for ask in asks]):  # noqa: C419
        return [list(asks)]
    groups: dict[object, list[Ask]] = {}
    for ask in asks:
        key = (layout(ask.batch), ask.whole, ask.version, _patience(ask.deadline, now))
        groups.setdefault(key, []).append(ask)
    return groups.values()


def _goes_with(one: Ask, other: Ask) -> bool:
    """Whether two requests can be in one wave, if they wait about equally long."""
    return one is other or (
        one.whole is other.whole and one.version == other.version and same_layout(one.batch, other.batch)
    )


def _patience(deadline_s: float | None, now: float) -> int:
    """Requests that wait about equally long, by powers of two: one in a hurry makes no other one hurry."""
    if deadline_s is None:
        return _FOR_EVER
    return math.frexp(max(deadline_s - now, 1e-3))[1]
