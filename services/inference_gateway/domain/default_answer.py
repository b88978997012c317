"""What is answered when nothing can be scored."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from services.inference_gateway.domain.errors import NotReady
from services.inference_gateway.domain.feature_errors import FeaturesUnavailable
from services.inference_gateway.domain.signature import DTYPES, DataType, Signature, Tensors
from services.inference_gateway.domain.worker_errors import ARM_FAULTS

Elements = tuple[float, ...] | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DefaultAnswer:
    """One row's elements by output, in the tensor's order; it answers for a failing arm.

    Also for an endpoint without a loaded version, and for features that can't be read, where that is said.
    """

    outputs: Mapping[str, Elements]
    when_not_ready: bool = False
    when_features_unavailable: bool = False

    def stands_in_for(self, error: BaseException) -> bool:
        """Whether it is the answer where there is none because of ``error``."""
        if isinstance(error, NotReady):
            return self.when_not_ready
        if isinstance(error, FeaturesUnavailable):
            return self.when_features_unavailable
        return isinstance(error, ARM_FAULTS)

    def tensors(self, signature: Signature, rows: int) -> Tensors | None:
        """The outputs of a version with ``signature`` for so many rows, [rows, …] each; None when they are not its own.

        The registry lets in what fits an endpoint's versions, but an alias may since have moved to another one.
        """
        found: Tensors = {}
        for spec in signature.outputs:
            elements = self.outputs.get(spec.name, ())
            if len(elements) != math.prod(spec.shape[1:]):
                return None
            if any(isinstance(element, str) != (spec.datatype is DataType.BYTES) for element in elements):
                return None
            row = np.array(elements, dtype=DTYPES[spec.datatype]).reshape(spec.shape[1:])
            found[spec.name] = np.repeat(row[None], rows, axis=0)
        return found
