"""Whether numbers are numbers: asked about every batch, and nearly always so."""

from __future__ import annotations

from math import isfinite

import numpy as np

from services.inference_gateway.domain.columns import Array

_FEW = 4096  # up to here one product is quicker than a mask and its sum, and no library spreads it over threads


def all_finite(numbers: Array) -> bool:
    """Whether an array of floats holds neither NaN nor an infinity."""
    # A sum of squares is finite only if each of them is; when it is too large for its type, the mask decides.
    if numbers.size <= _FEW and isfinite(np.vdot(numbers, numbers)):
        return True
    return bool(np.isfinite(numbers).all())
