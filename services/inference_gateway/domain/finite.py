"""Whether numbers are numbers: asked about every batch, and nearly always so."""

from __future__ import annotations

from math import isfinite

import numpy as np

from services.inference_gateway.domain.columns import Array

_AT_ONCE = 8192  # numbers whose product no library spreads over threads


def all_finite(numbers: Array) -> bool:
    """Whether an array of floats holds neither NaN nor an infinity."""
    # A sum of squares is finite only if each of them is, and far quicker than a mask; where it is too large for its
    # type, the mask decides.
    if numbers.size <= _AT_ONCE:
        return isfinite(np.vdot(numbers, numbers)) or bool(np.isfinite(numbers).all())
    flat = numbers.reshape(-1)
    return all([all_finite(flat[at : at + _AT_ONCE]) for at in range(0, flat.size, _AT_ONCE)])  # noqa: C419
