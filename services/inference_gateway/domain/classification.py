"""The largest values of each row, as the classification extension of the Open Inference Protocol tells them."""

from __future__ import annotations

import math

import numpy as np

from services.inference_gateway.domain.columns import Array


def top_classes(values: Array, count: int) -> Array:
    """The ``count`` largest values of each row ([rows, …], numbers), as texts "value:index", [rows, count at most].

    The largest comes first; of equal ones, the one with the lower index; what is not a number comes last.
    """
    flat = values.reshape(len(values), math.prod(values.shape[1:]))
    ranked = np.where(np.isnan(flat), -np.inf, flat) if flat.dtype.kind == "f" else flat
    width = flat.shape[1]
    # A stable ascending sort of the mirrored row, read backwards: no number has to be negated, which not all can be.
    order = (width - 1 - np.argsort(ranked[:, ::-1], axis=1, kind="stable"))[:, ::-1][:, :count]
    chosen = np.take_along_axis(flat, order, axis=1)
    write = "{:f}:{}".format if flat.dtype.kind == "f" else "{:d}:{}".format
    texts = [write(value, index) for value, index in zip(chosen.ravel().tolist(), order.ravel().tolist(), strict=True)]
    told = np.empty(len(texts), dtype=object)
    told[:] = texts
    return told.reshape(order.shape)
