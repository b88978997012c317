"""Rows that models were given of late, to warm their next workers with."""

from __future__ import annotations

import numpy as np

from services.inference_gateway.domain.desired import VersionSpec
from services.inference_gateway.domain.signature import DTYPES, Tensors

_ROWS = 16


class Recorded:
    """Remembers the last batch that each model answered, in memory alone: nothing of it outlives the process."""

    def __init__(self) -> None:
        self._last: dict[str, Tensors] = {}

    def keep(self, spec: VersionSpec, inputs: Tensors) -> None:
        """A version answered this batch."""
        self._last[spec.key.model] = inputs

    def rows(self, spec: VersionSpec) -> Tensors | None:
        """Some rows for a version of the model; None when there are none that it takes."""
        last = self._last.get(spec.key.model)
        if last is None:
            return None
        found: Tensors = {}
        for column in spec.signature.inputs:
            array = last.get(column.name)
            if array is None or array.dtype != DTYPES[column.datatype] or array.shape[1:] != column.shape:
                return None
            found[column.name] = np.array(array[:_ROWS])
        return found
