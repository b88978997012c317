"""Which arm answers a row."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from services.inference_gateway.domain.columns import Array
from services.inference_gateway.domain.desired import Route


def assign(endpoint: str, keys: Sequence[bytes], routes: Sequence[Route]) -> Array:
    """The index into ``routes`` of each key's arm ([keys] of int64).

    Sticky: the same key takes the same arm on every gateway and after every restart, as long as the weights
    stand. The arms share the traffic by their weights; an arm of weight 0 gets none.
    """
    weights = np.array([route.weight for route in routes], dtype=np.uint64)
    live = np.flatnonzero(weights)
    if len(live) == 1:
        return np.full(len(keys), live[0], dtype=np.int64)
    salt = endpoint.encode()
    points = np.array(
        [int.from_bytes(hashlib.blake2b(key, digest_size=8, key=salt[:64]).digest(), "little") for key in keys],
        dtype=np.uint64,
    )
    ends = np.cumsum(weights)
    arms: Array = np.searchsorted(ends, points % ends[-1], side="right")
    return arms.astype(np.int64)
