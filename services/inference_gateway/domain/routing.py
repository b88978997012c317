"""Which arm answers a row: weighted rendezvous.

Each arm draws a number for each key, exponentially distributed at the rate of its weight, and the first arm to come has
the row. So arms share the rows by their weights, and a row goes from one arm to another only when the other's weight
has grown more (or shrunk less) than the first one's: raised from 5 to 10 percent, a canary keeps the 5 that it had;
taken away, an arm's rows go to the others, and no other row moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import frexp

import numpy as np

from services.inference_gateway.domain.columns import Array, Column
from services.inference_gateway.domain.desired import Route
from services.inference_gateway.domain.key_hash import (
    hashed,
    hashed_bytes,
    hashed_bytes_one,
    hashed_one,
    mixed,
    mixed_one,
    named,
)

_MASK = 2**64 - 1
_SPARE_BITS = np.uint64(11)
_LN2 = 0.6931471805599453
_ROOT_HALF = 0.7071067811865476
_LN_ROOT_HALF = -0.34657359027997264


def assign(endpoint: str, keys: Sequence[Column], ids: Sequence[str], routes: Sequence[Route]) -> Array:
    """The index into ``routes`` of each row's arm ([ids] of int64); an arm of weight 0 gets none.

    A row is known by those of its ``keys`` that the routes are sticky by, or by all when they name none; one that has
    none of them by its prediction id. Sticky: the same key takes the same arm on every gateway and after every restart,
    as long as the weights stand.
    """
    live, seeds, weights = _dealing(endpoint, tuple(routes))
    if len(live) == 1:
        return np.full(len(ids), live[0], dtype=np.int64)
    by = routes[0].sticky_by
    if by:
        keys = [column for column in keys if column.name in by]
    if len(ids) == 1:
        return live[[_first(_known_one(keys, ids[0]), seeds, weights)]]
    known = _known(keys, ids)
    chosen: Array = live[(_exponential(mixed(known + seeds)) / weights).argmin(axis=0)]
    return chosen


def _first(key: int, seeds: Array, weights: Array) -> int:
    """The arm that comes first for one key."""
    comes = [
        _exponential_one(mixed_one(key + seed & _MASK)) / weight
        for [seed], [weight] in zip(seeds.tolist(), weights.tolist(), strict=True)
    ]
    return comes.index(min(comes))


@lru_cache(maxsize=256)
def _dealing(endpoint: str, routes: tuple[Route, ...]) -> tuple[Array, Array, Array]:
    """The places of the arms with a weight ([arms]), and their seeds and weights ([arms, 1])."""
    live = np.array([place for place, route in enumerate(routes) if route.weight], dtype=np.int64)
    arms = [routes[place] for place in live.tolist()]
    seeds = np.array([named("arm", arm.salt or endpoint, arm.name) for arm in arms], dtype=np.uint64)
    weights = np.array([arm.weight for arm in arms], dtype=np.float64)
    return live, seeds[:, None], weights[:, None]


def _known(columns: Sequence[Column], ids: Sequence[str]) -> Array:
    if not columns:
        return hashed_bytes([one.encode() for one in ids])
    found = hashed(columns, len(ids))
    unknown = np.flatnonzero(found == 0)
    if len(unknown):
        found[unknown] = hashed_bytes([ids[row].encode() for row in unknown.tolist()])
    return found


def _exponential(hashes: Array) -> Array:
    """Hashes as draws of the exponential distribution of rate 1.

    The logarithm is a series of its own (to 1e-9) and not the machine's: each of its steps is rounded in one way on
    every platform, and so each row has one arm. :func:`_exponential_one` takes the same steps.
    """
    uniform = ((hashes >> _SPARE_BITS).astype(np.float64) + 1.0) * 2.0**-53
    mantissa, exponent = np.frexp(uniform)
    ratio = (mantissa - _ROOT_HALF) / (mantissa + _ROOT_HALF)
    square = ratio * ratio
    series = 1.0 + square * (1.0 / 3 + square * (1.0 / 5 + square * (1.0 / 7 + square * (1.0 / 9))))
    logarithm = exponent * _LN2 + (_LN_ROOT_HALF + 2.0 * ratio * series)
    found: Array = np.maximum(-logarithm, 0.0)
    return found


def _known_one(columns: Sequence[Column], prediction_id: str) -> int:
    return hashed_one(columns) or hashed_bytes_one(prediction_id.encode())


def _exponential_one(value: int) -> float:
    mantissa, exponent = frexp(((value >> 11) + 1.0) * 2.0**-53)
    ratio = (mantissa - _ROOT_HALF) / (mantissa + _ROOT_HALF)
    square = ratio * ratio
    series = 1.0 + square * (1.0 / 3 + square * (1.0 / 5 + square * (1.0 / 7 + square * (1.0 / 9))))
    return max(-(exponent * _LN2 + (_LN_ROOT_HALF + 2.0 * ratio * series)), 0.0)
